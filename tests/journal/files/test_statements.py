"""A statement's operations are told by name and wallet, and its trades put together."""

from decimal import Decimal as D

import pytest

from tests.journal.files import samples as s
from tests.journal.files.readings import brief, take


def test_a_statements_operations_are_told_by_name_and_wallet() -> None:
    reading = take(s.MANY_OPERATIONS)
    assert [(row.kind, row.wallet, row.asset, row.amount) for row in reading.transfers] == [
        ("deposit", "spot", "USDT", D(1000)),
        ("internal", "spot", "BTC", D("-0.001")),
        ("dividend", "earn", "BTC", D("0.000001")),
        ("internal", "spot", "BTC", D("0.001")),
        ("swap", "spot", "OLD", D(-10)),
        ("swap", "spot", "NEW", D(10000)),
        ("deposit", "funding", "USDT", D(100)),
        ("internal", "funding", "USDT", D(-100)),
        ("internal", "spot", "USDT", D(100)),
        ("dividend", "spot", "BNB", D("0.0001")),
        ("deposit", "spot", "EUR", D(50)),
        ("other", "spot", "BTC", D("-0.5")),
    ]
    assert [(row.kind, row.amount) for row in reading.incomes] == [
        ("FUNDING_FEE", D("-0.5")),
        ("REALIZED_PNL", D("12.5")),
    ]
    (fill,) = reading.fills
    assert brief(fill)[1:] == ("BTCUSDT", "BUY", D("0.001"), D(40000), D("0.00001"), "BNB")
    assert fill.from_statement


def test_a_second_of_many_fills_adds_up_exactly_and_dust_is_one_batch() -> None:
    reading = take(s.STATEMENT_SAME_SECOND)
    (fill,) = reading.fills
    assert (fill.symbol, fill.side, fill.quantity, fill.value, fill.fee, fill.fee_asset) == (
        "ZRXETH",
        "BUY",
        D(570),
        D("0.5950086"),
        D("0.57"),
        "ZRX",
    )
    dust = [row for row in reading.transfers if row.kind == "dust"]
    assert {row.asset: row.amount for row in dust} == {
        "STEEM": D("-0.004"),
        "TRX": D("-0.9"),
        "BNB": D("0.0007"),
    }
    assert len({row.group for row in dust}) == 1


@pytest.mark.parametrize(
    ("rows", "fills", "transfers"),
    [
        # the newer names: bought and sold on one pair within a second, fees in what came
        (
            [
                "Transaction Buy,BTC,1",
                "Transaction Spend,USDT,-100",
                "Transaction Fee,BTC,-0.001",
                "Transaction Sold,BTC,-1",
                "Transaction Revenue,USDT,101",
                "Transaction Fee,USDT,-0.1",
            ],
            [("BTCUSDT", "BUY", "1", "0.001", "BTC"), ("BTCUSDT", "SELL", "1", "0.1", "USDT")],
            [],
        ),
        # a fee in two coins: two fills that add up
        (
            [
                "Transaction Buy,BTC,1",
                "Transaction Spend,USDT,-100",
                "Transaction Fee,BTC,-0.001",
                "Transaction Fee,BNB,-0.002",
            ],
            [("BTCUSDT", "BUY", "0.5", "0.001", "BTC"), ("BTCUSDT", "BUY", "0.5", "0.002", "BNB")],
            [],
        ),
        # two purchases whose dollars cannot be told apart: nothing is lost, nothing is guessed
        (
            ["Transaction Buy,BTC,1", "Transaction Buy,ETH,2", "Transaction Spend,USDT,-300"],
            [],
            [("convert", "BTC", "1"), ("convert", "ETH", "2"), ("convert", "USDT", "-300")],
        ),
        # half a trade
        (["Buy,BTC,1"], [], [("other", "BTC", "1")]),
    ],
)
def test_trades_are_put_together_from_their_second(
    rows: list[str],
    fills: list[tuple[str, str, str, str, str]],
    transfers: list[tuple[str, str, str]],
) -> None:
    text = "".join(f"1,2024-01-02 10:00:00,Spot,{row},\n" for row in rows)
    reading = take(s.STATEMENT + text)
    assert [(f.symbol, f.side, f.quantity, f.fee, f.fee_asset) for f in reading.fills] == [
        (a, b, D(c), D(d), e) for a, b, c, d, e in fills
    ]
    assert [(t.kind, t.asset, t.amount) for t in reading.transfers] == [
        (a, b, D(c)) for a, b, c in transfers
    ]


def test_the_statement_under_its_newer_header_asks_for_its_zone() -> None:
    text = (
        "User ID,Time,Account,Operation,Coin,Change,Remark\n"
        "1,25-01-02 11:00:00,Spot,Transaction Buy,ETH,1,\n"
        "1,25-01-02 11:00:00,Spot,Transaction Spend,BTC,-0.05,\n"
        "1,25-01-02 11:00:00,Spot,Transaction Fee,BNB,-0.0007,\n"
    )
    reading = take(text)
    assert reading.needs_zone
    (fill,) = take(text, "Statement(UTC+0).csv").fills
    assert brief(fill) == (
        "2025-01-02 11:00:00",
        "ETHBTC",
        "BUY",
        D(1),
        D("0.05"),
        D("0.0007"),
        "BNB",
    )
