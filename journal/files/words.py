"""Binance's words in the languages of its site: names of columns, and of the two sides. A table
whose header is in none of these is told by its rows (`journal.files.shapes.by_rows`)."""

import re
import unicodedata

ZONE = re.compile(r"[\s(_]*\(?(?:utc|gmt)(?:\s*[-+−]{1,2}\s*[0-9:]*)?\)?", re.I)
# English name -> the same in other languages, all in small letters without zone
COLUMNS: dict[str, tuple[str, ...]] = {
    "time": ("date", "create time", "created time", "thời gian", "ngày", "时间", "日期", "時間",
             "日付", "시간", "날짜", "일시", "zeit", "datum", "fecha", "hora", "data", "heure",
             "zaman", "tarih", "дата", "время", "waktu", "tanggal", "ora", "czas"),
    "symbol": ("mã", "cặp", "pair", "交易对", "交易對", "合约", "合約", "symbole", "símbolo",
               "sembol",
               "символ", "пара", "par", "paire", "paar", "parite", "シンボル", "通貨ペア", "ペア",
               "심볼", "거래쌍", "페어", "simbol", "simbolo", "coppia", "trading pair"),
    "side": ("bên", "方向", "买卖方向", "買賣方向", "seite", "lado", "côté", "sens", "yön", "taraf",
             "сторона", "サイド", "売買", "방향", "매수/매도", "sisi", "lato", "strona",
             "direction"),
    "price": ("giá", "价格", "價格", "成交价", "preis", "precio", "preço", "prix", "fiyat", "цена",
              "価格", "가격", "harga", "prezzo", "cena"),
    "executed": ("đã thực hiện", "đã khớp", "成交数量", "成交量", "已成交", "ausgeführt",
                 "ejecutado",
                 "executado", "exécuté", "gerçekleşen", "исполнено", "約定済み", "約定", "체결",
                 "체결량", "filled", "eseguito", "tereksekusi", "zrealizowano"),
    "quantity": ("số lượng", "数量", "數量", "menge", "cantidad", "quantidade", "quantité",
                 "miktar",
                 "количество", "수량", "jumlah", "quantità", "ilość", "qty"),
    "amount": ("số tiền", "金额", "金額", "成交额", "成交額", "betrag", "importe", "monto", "valor",
               "montant", "tutar", "сумма", "총액", "금액", "nominal", "importo", "kwota"),
    "total": ("tổng", "总计", "總計", "gesamt", "toplam", "итого", "합계"),
    "fee": ("phí", "手续费", "手續費", "gebühr", "gebühren", "comisión", "comissão", "taxa",
            "frais",
            "komisyon", "ücret", "комиссия", "手数料", "수수료", "biaya", "commissione", "opłata",
            "commission", "trading fee"),
    "fee coin": ("fee asset", "commission asset", "手续费币种", "手續費幣種"),
    "realized profit": ("lợi nhuận đã thực hiện", "realized pnl", "realised profit",
                        "realized profit and loss", "已实现盈亏", "已實現盈虧", "已实现利润",
                        "realisierter gewinn", "ganancia realizada", "lucro realizado",
                        "profit réalisé", "gerçekleşen kâr", "реализованная прибыль", "実現損益",
                        "실현 손익", "실현손익", "実現利益"),
    "buyer": ("người mua", "买方", "買方", "käufer", "comprador", "acheteur", "alıcı", "покупатель",
              "買い手", "구매자"),
    "maker": ("người tạo", "is maker", "挂单方", "掛單方", "maker?", "메이커", "メーカー"),
    "trade id": ("id giao dịch", "tradeid", "成交id", "交易id", "成交编号", "handels-id",
                 "id de operación", "id da negociação", "id de transaction", "işlem kimliği",
                 "id сделки", "取引id", "거래 id", "거래id"),
    "order id": ("id lệnh", "orderid", "order no", "order no.", "orderno", "订单号", "訂單號",
                 "订单id", "auftrags-id", "id de orden", "id da ordem", "id de l'ordre",
                 "emir kimliği", "id ордера", "注文id", "주문 id", "주문id", "order number"),
    "uid": ("user id", "userid", "用户id", "사용자 id"),
    "position side": ("positionside", "持仓方向", "포지션 방향"),
    "average price": ("avg price", "avg. price", "avgtrading price", "avg trading price",
                      "average", "平均价", "成交均价", "평균가"),
    "status": ("state", "trạng thái", "状态", "狀態", "상태", "durum", "estado", "statut", "статус",
               "ステータス"),
    "account": ("tài khoản", "账户", "賬戶", "帳戶", "계정", "konto", "cuenta", "conta", "compte",
                "hesap", "аккаунт", "счёт", "アカウント"),
    "operation": ("hoạt động", "操作", "작업", "vorgang", "operación", "operação", "opération",
                  "işlem", "операция", "オペレーション"),
    "coin": ("asset", "coin/asset", "币种", "幣種", "코인", "münze", "moneda", "moeda", "koin",
             "монета", "コイン", "đồng coin", "currency"),
    "change": ("thay đổi", "变动", "變動", "변경", "변동", "änderung", "cambio", "alteração",
               "değişim", "изменение", "変更"),
    "remark": ("ghi chú", "备注", "備註", "비고", "bemerkung", "observación", "примечание", "note"),
    "type": ("income type", "loại", "类型", "類型", "유형", "typ", "tipo", "tür", "тип", "タイプ"),
    "transaction id": ("tranid", "transaction no", "transaction no.", "tran id"),
    "transaction fee": ("transactionfee", "network fee"),
    "txid": ("transactionid", "tx id", "hash"),
    "fee amount": (),
}  # fmt: skip
SIDES: dict[str, tuple[str, ...]] = {
    "BUY": ("BUY", "MUA", "买入", "买", "買入", "買", "買い", "購入", "매수", "구매", "KAUFEN",
            "KAUF",
            "COMPRA", "COMPRAR", "ACHAT", "ACHETER", "AL", "ALIŞ", "ALIS", "ПОКУПКА", "КУПИТЬ",
            "BELI", "ACQUISTO", "KUPNO", "B", "LONG"),
    "SELL": ("SELL", "BÁN", "卖出", "卖", "賣出", "賣", "売り", "売却", "매도", "판매", "VERKAUFEN",
             "VERKAUF", "VENTA", "VENDA", "VENDER", "VENTE", "VENDRE", "SAT", "SATIŞ", "SATIS",
             "ПРОДАЖА", "ПРОДАТЬ", "JUAL", "VENDITA", "SPRZEDAŻ", "S", "SHORT"),
}  # fmt: skip
ENGLISH = {other: name for name, others in COLUMNS.items() for other in (name, *others)}
SIDE_OF = {word: side for side, words in SIDES.items() for word in words}
# `User_ID`, `UTC_Time`, `Date(UTC+9)`, `Coin Name`
SIGNS = re.compile(r"[\s_]+")


def column(text: str) -> str:
    """The English name of a header's cell in small letters, without its zone; an unknown one as it
    stands."""
    name = unicodedata.normalize("NFKC", text).strip().strip("\"'*").lower()
    name = SIGNS.sub(" ", ZONE.sub(" ", name.replace("_", " "))).strip(" :")
    return ENGLISH.get(name, name)


def side(text: str) -> str | None:
    """BUY or SELL."""
    return SIDE_OF.get(unicodedata.normalize("NFKC", text).strip().upper())
