"""Every shape of Binance's exports comes out as it is meant, or is refused with its reason."""

import io
import zipfile
from decimal import Decimal as D

import pytest

from journal.faults import NotAFile
from tests.journal.files import samples as s
from tests.journal.files.readings import brief, in_time, reasons, take


@pytest.mark.parametrize(
    ("pair", "price", "executed", "amount", "fee", "expected"),
    [
        ("1INCHUSDT", "0.4", "101INCH", "4.0USDT", "0.011INCH", ("1INCH", 10, "0.01", "1INCH")),
        (
            "1000SATSUSDT",
            "0.0004",
            "51000SATS",
            "0.002USDT",
            "0.00001BNB",
            ("1000SATS", 5, "0.00001", "BNB"),
        ),
        ("0GUSDT", "2", "10.500G", "21USDT", "0.01050G", ("0G", "10.5", "0.0105", "0G")),
        ("2ZUSDT", "0.5", "1002Z", "50USDT", "0.12Z", ("2Z", 100, "0.1", "2Z")),
        ("VENBTC", "0.0004", "100VEN", "0.04BTC", "0.1VEN", ("VEN", 100, "0.1", "VEN")),
        ("BTCUSDT", "40000", "1E-8BTC", "0.0004USDT", "1E-11BTC", ("BTC", "1E-8", "1E-11", "BTC")),
        ("BTC/GBP", "40000", "0.001BTC", "40GBP", "--", ("BTC", "0.001", "0", "")),
    ],
)
def test_a_number_is_split_from_its_coin_by_the_pairs_coins(
    pair: str, price: str, executed: str, amount: str, fee: str, expected: tuple[object, ...]
) -> None:
    row = f"2026-03-02 10:00:00,{pair},BUY,{price},{executed},{amount},{fee}\n"
    (fill,) = take(s.SPOT + row).fills
    base, quantity, paid, coin = expected
    assert (fill.base, fill.quantity) == (base, D(str(quantity)))
    assert (fill.fee, fill.fee_asset) == (D(str(paid)), coin)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("2024-01-02 10:00:00,BTCUSDT,BUY,40000,0BTC,0USDT,0BNB", "quantity"),
        ("2024-01-02 10:00:00,BTCUSDT,BUY,40000,-1BTC,-40000USDT,0BNB", "quantity"),
        (
            "2026-03-02 10:00:00,BTCUSDT,BUY,40000,0.0000000000004BTC,0.000000016USDT,0USDT",
            "quantity",
        ),
        ("2026-03-02 10:00:00,PEPEUSDT,BUY,0.0000000000004,1000000PEPE,0.0000004USDT,0", "price"),
        ('2026-03-02 10:00:00,BTCUSDT,BUY,"40000,5","0,001BTC","40,0005USDT",0', "comma"),
        ("2026-03-02 10:00:00,BTCUSDT,BUY,40000,1BTC,4USDT,0USDT", "amount_differs"),
        ("02-03-24 10:00:00,BTCUSDT,BUY,40000,0.001BTC,40USDT,0", "time_early"),
        ("02/03/2024 10:00:00,BTCUSDT,BUY,40000,0.001BTC,40USDT,0", "time_rewritten"),
        ("2027-03-02 10:00:00,BTCUSDT,BUY,40000,0.001BTC,40USDT,0", "time_late"),
        ("9999-12-31 23:59:59,BTCUSDT,BUY,40000,0.001BTC,40USDT,0", "time_late"),
        ("0001-01-01 00:00:00,BTCUSDT,BUY,40000,0.001BTC,40USDT,0", "time_early"),
        ("2026-03-02 10:00:00,BTCUSDT,BUY,40000,1,40000,0.001", "fee_coin"),
        ("2026-03-02 10:00:00,BTCUSDT,HOLD,40000,1BTC,40000USDT,0", "side"),
        ("2026-03-02 10:00:00,BTCUSDT,BUY,1e999999,1BTC,1USDT,0", "number_large"),
        ("2026-03-02 10:00:00,BTCUSDT,BUY,1_000,1BTC,1000USDT,0", "number"),
        ("2026-03-02 10:00:00,BTC\0USDT,BUY,1000,1BTC,1000USDT,0", "pair"),
        ("2026-03-02 10:00:00,NOPE,BUY,1000,1,1000,0", "pair"),
        ("2026-03-02 10:00:00,BTCUSDT,BUY,,1BTC,1000USDT,0", "column"),
        ("No data matches the criteria.", "no_data"),
    ],
)
def test_a_row_that_cannot_be_is_named_and_the_others_are_taken(row: str, code: str) -> None:
    good = "2024-01-02 10:00:02,BTCUSDT,BUY,40000,0.5BTC,20000USDT,0.01BNB\n"
    reading = take(f"{s.SPOT}{row}\n{good}")
    assert reasons(reading) == [(2, code)]
    assert [fill.quantity for fill in reading.fills] == [D("0.5")]


def test_the_zone_comes_from_the_header_the_name_or_is_asked_for() -> None:
    assert [brief(fill)[0] for fill in take(s.SPOT_LOCAL, s.SPOT_LOCAL_NAME).fills] == [
        "2026-03-17 09:34:12",
        "2026-03-17 09:00:05",
    ]
    header = s.SPOT_LOCAL.replace("Time", "Date(UTC+9)")
    assert not take(header).needs_zone
    assert take(header).fills[0].place.at(None).hour == 9
    west = take(s.SPOT_LOCAL, "Export-(UTC--6).csv").fills[0]
    assert f"{west.place.at(None):%d %H}" == "18 00"
    assert take(s.SPOT_LOCAL).needs_zone
    assert take(s.SPOT_NEW_SHAPE, "Export-(UTC+9).csv").fills[0].place.at(None).hour == 9


def test_a_zips_members_have_zones_of_their_own() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(s.SPOT_LOCAL_NAME, s.SPOT_LOCAL)
        archive.writestr("deep/FUTURES(UTC-5).CSV", s.USDM_LOCAL)
        archive.writestr("__MACOSX/._x.csv", "rubbish")
    reading = take(packed.getvalue(), "all.zip")
    assert reading.kind == "spot+usdm"
    assert {fill.market: fill.place.at(None).hour for fill in reading.fills} == {
        "spot": 9,
        "usdm": 23,
    }
    assert reading.fills[-1].place.member == "all.zip/deep/FUTURES(UTC-5).CSV"


def test_rows_of_one_second_keep_the_order_of_their_file() -> None:
    newest_first = [fill.side for fill in in_time(take(s.SAME_SECOND))]
    assert newest_first == ["BUY", "SELL"] * 4
    header, *rows = s.SAME_SECOND.splitlines()
    assert [fill.side for fill in in_time(take("\n".join([header, *rows[::-1]])))] == newest_first


def test_hedge_mode_is_told_by_what_each_row_realised() -> None:
    assert [fill.position_side for fill in in_time(take(s.HEDGE))] == [
        "LONG",
        "SHORT",
        "LONG",
        "SHORT",
    ]
    one_way = {fill.position_side for fill in take(s.USDM_LOCAL, "(UTC+9)").fills}
    begins_inside = s.USDM + (
        "1,2026-03-17 09:00:00,BTCUSDT,BUY,100,1,100,0 USDT,12.3,true,false,1,1\n"
        "1,2026-03-17 09:01:00,BTCUSDT,SELL,110,1,110,0 USDT,0,false,false,2,2\n"
    )
    assert one_way == {fill.position_side for fill in take(begins_inside).fills} == {"BOTH"}


def test_the_site_of_2021_has_the_quantity_as_amount() -> None:
    (fill,) = take(s.SITE_2021).fills
    assert brief(fill)[2:] == ("BUY", D("0.001"), D("29000.01"), D("0.00002"), "BNB")


def test_futures_without_ids_and_of_another_language_are_read() -> None:
    fills = take(s.SITE_WITHOUT_IDS).fills
    assert [(fill.trade_id, fill.fee, fill.fee_asset, fill.realized) for fill in fills] == [
        (None, D("0.016"), "USDT", D(0)),
        (None, D("0.0164"), "USDT", D(1)),
    ]
    sold, bought = take(s.VIETNAMESE, "x(UTC+7).csv").fills
    assert (sold.side, sold.quantity, sold.price, sold.fee) == (
        "SELL",
        D("0.003"),
        D("30288.9"),
        D("0.03634668"),
    )
    assert (bought.realized, bought.trade_id, bought.order_id) == (D("-1.155"), 12, 22)


def test_a_header_in_an_unknown_language_is_told_by_its_rows() -> None:
    header = "Aika(UTC),Kauppapari,Suunta,Hinta,Toteutunut,Summa,Kulu\n"
    row = "2026-03-17 09:00:05,BTCUSDT,BUY,70000,0.01BTC,700USDT,0.00001BTC\n"
    assert [fill.quantity for fill in take(header + row).fills] == [D("0.01")]
    with pytest.raises(NotAFile) as refused:
        take(header + row.replace("BUY", "X"))
    assert refused.value.fault.code == "unknown_table"


def test_a_coin_margined_file_and_an_order_history_are_named_for_what_they_are() -> None:
    assert (take(s.COINM).kind, reasons(take(s.COINM))) == ("coinm", [(2, "coinm")])
    assert (take(s.ORDERS).kind, reasons(take(s.ORDERS))) == ("orders", [(1, "orders")])


def test_income_converts_deposits_and_withdrawals_are_taken() -> None:
    assert [(row.kind, row.amount, row.external_id) for row in take(s.INCOME).incomes] == [
        ("FUNDING_FEE", D("-0.15"), "9001"),
        ("REALIZED_PNL", D(1), "9002"),
        ("COMMISSION", D("-0.2956"), "9003"),
    ]
    gave, got = take(s.CONVERT).transfers
    assert (gave.asset, gave.amount, got.asset, got.amount) == (
        "USDT",
        D("-124.60184573"),
        "ETH",
        D("0.03158115"),
    )
    assert gave.group == got.group
    glued = s.CONVERT.replace("ETHUSDT", "1000SATSUSDT").replace("0.03158115 ETH", "51000SATS")
    assert [(row.asset, row.amount) for row in take(glued).transfers[1:]] == [("1000SATS", D(5))]
    (came,) = take(s.DEPOSIT).transfers
    assert (came.kind, came.amount) == ("deposit", D("125.564991"))
    (left,) = take(s.WITHDRAWAL).transfers
    assert (left.kind, left.amount, left.fee) == ("withdrawal", D("-0.5005"), D("0.0005"))
    assert reasons(take(s.DEPOSIT.replace("Completed", "Pending"))) == [(2, "not_done")]
