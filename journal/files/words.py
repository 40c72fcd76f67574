"""Binance's words in the languages of its site: names of columns, and of the two sides. A table
whose header is in none of these is told by its rows (`journal.files.shapes.by_rows`)."""

import re
import unicodedata

from journal.files.columns import COLUMNS

ZONE = re.compile(r"[\s(_]*\(?(?:utc|gmt)(?:\s*[-+−]{1,2}\s*[0-9:]*)?\)?", re.I)
SIDES: dict[str, tuple[str, ...]] = {
    "BUY": (
        "BUY",
        "MUA",
        "买入",
        "买",
        "買入",
        "買",
        "買い",
        "購入",
        "매수",
        "구매",
        "KAUFEN",
        "KAUF",
        "COMPRA",
        "COMPRAR",
        "ACHAT",
        "ACHETER",
        "AL",
        "ALIŞ",
        "ALIS",
        "ПОКУПКА",
        "КУПИТЬ",
        "BELI",
        "ACQUISTO",
        "KUPNO",
        "B",
        "LONG",
    ),
    "SELL": (
        "SELL",
        "BÁN",
        "卖出",
        "卖",
        "賣出",
        "賣",
        "売り",
        "売却",
        "매도",
        "판매",
        "VERKAUFEN",
        "VERKAUF",
        "VENTA",
        "VENDA",
        "VENDER",
        "VENTE",
        "VENDRE",
        "SAT",
        "SATIŞ",
        "SATIS",
        "ПРОДАЖА",
        "ПРОДАТЬ",
        "JUAL",
        "VENDITA",
        "SPRZEDAŻ",
        "S",
        "SHORT",
    ),
}
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
