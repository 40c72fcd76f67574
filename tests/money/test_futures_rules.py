"""The rules of contracts and their income one by one, by hand-worked values."""

from fractions import Fraction
from typing import Any

import pytest

from tests.money.model import evaluate

Row = list[Any]


def fill(number: int, side: str, price: str, quantity: str, realized: str, book: str) -> Row:
    """BTCUSDT, an hour each on 2 March 2026, fee 0.1 a unit."""
    fee = str(Fraction(quantity) / 10)
    at = f"2026-03-02T{number:02}:30:00Z"
    return ["BTCUSDT", number, side, price, quantity, fee, "USDT", at, realized, book]


def paid(kind: str, amount: str, hour: int, coin: str = "USDT", symbol: str = "BTCUSDT") -> Row:
    return [kind, f"{kind}{amount}", coin, symbol, amount, f"2026-03-02T{hour:02}:00:03Z"]


def nets(case: dict[str, Any], method: str = "fifo") -> list[float]:
    return [float(trade[3]) for trade in evaluate(case, method)["trades"]]


FLIP = [
    fill(1, "BUY", "100", "1", "0", "BOTH"),
    fill(2, "SELL", "110", "3", "10", "BOTH"),
    fill(3, "BUY", "105", "2", "10", "BOTH"),
]
HEDGE = [
    fill(1, "BUY", "100", "3", "0", "LONG"),
    fill(2, "SELL", "100", "1", "0", "SHORT"),
    fill(9, "SELL", "100", "3", "0", "LONG"),
    fill(10, "BUY", "100", "1", "0", "SHORT"),
]


def test_a_flip_splits_the_fill_and_its_fee() -> None:
    """§3.1, §2.3: 10 − 0.1 − 0.1, and 10 − 0.2 − 0.2."""
    assert nets({"usdm": FLIP}) == [9.8, 9.6]


def test_what_the_exchange_says_is_compared() -> None:
    """§4.5."""
    assert evaluate({"usdm": FLIP})["problems"] == []
    wrong = [*FLIP[:2], fill(3, "BUY", "105", "2", "9", "BOTH")]
    assert evaluate({"usdm": wrong})["problems"] == ["exchange_differs"]


@pytest.mark.parametrize(("method", "net"), [("fifo", 20), ("lifo", 10), ("average", 15)])
def test_a_method_moves_money_only_between_realised_and_unrealised(method: str, net: int) -> None:
    """§4.5: of 100 and 110, sold at 120."""
    rows = [
        ["BTCUSDT", 1, "BUY", "100", "1", "0", "USDT", "2026-03-02T01:00:00Z", "0", "BOTH"],
        ["BTCUSDT", 2, "BUY", "110", "1", "0", "USDT", "2026-03-02T02:00:00Z", "0", "BOTH"],
        ["BTCUSDT", 3, "SELL", "120", "1", "0", "USDT", "2026-03-02T03:00:00Z", "15", "BOTH"],
    ]
    result = evaluate({"usdm": rows}, method)
    assert (result["net"], result["unrealised"]) == (net, 30 - net)
    assert (result["worth"], result["problems"]) == (30, [])


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        (["-0.02"], [-0.63, -0.19]),
        (["-0.03", "0.01"], [-0.63, -0.19]),
        (["0.03", "-0.01"], [-0.57, -0.21]),
    ],
)
def test_funding_of_both_sides_goes_by_size(amounts: list[str], expected: list[float]) -> None:
    """§5.1: one row for both by signed size; without a rate the larger row to the larger side."""
    income = [paid("FUNDING_FEE", amount, 8) for amount in amounts]
    assert nets({"usdm": HEDGE, "income": income}) == expected


def test_funding_without_a_position_is_realised_all_the_same() -> None:
    """§5.1."""
    result = evaluate({"usdm": FLIP, "income": [paid("FUNDING_FEE", "-1", 8)]})
    assert result["net"] == Fraction("18.4")
    assert result["problems"] == ["funding_without_position"]


def test_a_special_settlement_is_at_its_minute() -> None:
    """§5.1: at 01:45 the long is held, which at 01:00 was not."""
    row = paid("SPECIAL_FUNDING_FEE", "-1", 1)
    row[5] = "2026-03-02T01:45:09Z"
    assert nets({"usdm": FLIP, "income": [row]}) == [8.8, 9.6]


def test_insurance_counts_as_a_fee_of_the_open_trade_or_the_last() -> None:
    """§5.4; of a contract never held it is income."""
    assert nets({"usdm": FLIP, "income": [paid("INSURANCE_CLEAR", "-1", 3)]}) == [9.8, 8.6]
    assert nets({"usdm": FLIP, "income": [paid("FEE_RETURN", "1", 9)]}) == [9.8, 10.6]
    elsewhere = paid("INSURANCE_CLEAR", "-1", 9, symbol="ETHUSDT")
    assert evaluate({"usdm": FLIP, "income": [elsewhere]})["income"] == -1


def test_results_without_fills_are_realised_apart() -> None:
    """§5.4: with fills the same rows are witnesses only."""
    income = [paid("REALIZED_PNL", "10", 2), paid("COMMISSION", "-0.3", 2)]
    assert evaluate({"usdm": FLIP, "income": income})["net"] == Fraction("19.4")
    result = evaluate({"income": income})
    assert (result["net"], result["apart"]) == (Fraction("9.7"), Fraction("9.7"))
    assert result["problems"] == ["result_without_fills"]


def test_everything_else_is_income_with_its_sign() -> None:
    """§5.4: own wallets are no event, an unknown kind is a Problem."""
    kinds = (("REFERRAL_KICKBACK", "2"), ("SOMETHING_NEW", "-0.5"), ("TRANSFER", "900"))
    result = evaluate({"income": [paid(kind, amount, 1) for kind, amount in kinds]})
    assert (result["income"], result["worth"]) == (Fraction("1.5"), Fraction("1.5"))
    assert result["problems"] == ["unknown_income"]


def test_funding_in_a_coin_moves_that_coin_too() -> None:
    """§5.3: 0.01 BNB paid at 600, bought at 500: −6 of funding, +1 of BNB."""
    case = {
        "price": {"BNB": "600"},
        "spot": [["BNBUSDT", 1, "BUY", "500", "1", "0", "USDT", "2026-03-01T08:00:00Z"]],
        "usdm": FLIP,
        "income": [paid("FUNDING_FEE", "-0.01", 3, coin="BNB")],
    }
    result = evaluate(case)
    assert result["trades"][1][3] == Fraction("3.6")
    assert (result["net"], result["unrealised"]) == (Fraction("14.4"), 99)


def test_the_exchange_changes_coins_by_a_conversion() -> None:
    """§5.3: 0.1 BNB for 60 dollars."""
    case = {
        "spot": [["BNBUSDT", 1, "BUY", "500", "0.1", "0", "USDT", "2026-03-01T08:00:00Z"]],
        "income": [paid("AUTO_EXCHANGE", "-0.1", 3, "BNB"), paid("AUTO_EXCHANGE", "60", 3)],
    }
    result = evaluate(case)
    assert (result["net"], result["income"], result["problems"]) == (10, 0, [])


def test_an_opening_has_its_entry_from_the_first_closing_fill() -> None:
    """§4.2: of 3 in all the average is 120 − 20 ÷ 1 = 100; one is known at 120: 2 at 90."""
    case = {
        "position_now": "2",
        "usdm": [
            fill(1, "BUY", "120", "1", "0", "BOTH"),
            fill(2, "SELL", "120", "1", "20", "BOTH"),
        ],
    }
    result = evaluate(case)
    assert (result["trades"], result["open"]) == ([], {"BTCUSDT": 2})
    # FIFO: an opening one leaves first; 1 at 90 and 1 at 120 stay, the price is 120
    assert (result["net"], result["unrealised"]) == (Fraction("29.9"), Fraction("29.9"))


@pytest.mark.parametrize(("entry", "unrealised"), [({"BTCUSDT": "110"}, 29.9), ({}, -0.1)])
def test_an_opening_without_a_closing_fill(entry: dict[str, str], unrealised: float) -> None:
    """§4.2: by the position's own entry, else by the first fill's price. 3 held at 120."""
    rows = [fill(1, "BUY", "120", "1", "0", "BOTH")]
    case = {"position_now": {"BTCUSDT:BOTH": "3"}, "position_entry": entry, "usdm": rows}
    result = evaluate(case)
    assert float(result["unrealised"]) == unrealised
    assert result["problems"] == ["history_begins_inside_a_position"]


def test_no_position_now_of_a_delivered_contract_makes_an_opening() -> None:
    """§4.2, §5.2: the exchange tells 0 of it, because it is delivered."""
    row = ["BTCUSDT_260626", 1, "BUY", "100", "1", "0", "USDT", "2026-03-28T08:00:00Z", "0", "BOTH"]
    income = ["DELIVERED_SETTELMENT", "5", "USDT", "BTCUSDT_260626", "20", "2026-06-26T08:00:00Z"]
    result = evaluate({"position_now": "0", "usdm": [row], "income": [income]})
    assert (result["trades"], result["problems"]) == ([["LONG", 100, 120, 20]], [])
