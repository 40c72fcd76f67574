"""Trade and stack by hand-worked values; sections are money.md's."""

from fractions import Fraction

import pytest

from tests.money.cases import Row, bought_and_sold, fill, money, on
from tests.money.model import evaluate


def test_a_mark_sets_a_trade_aside() -> None:
    """§3.6: it ends with what it had; the rest is sold from the stack."""
    case = {
        "set_aside": [["SOLUSDT", 2]],
        "spot": [
            fill("SOLUSDT", 1, "BUY", "100", "1"),
            fill("SOLUSDT", 2, "SELL", "110", "0.4"),
            fill("SOLUSDT", 3, "SELL", "120", "0.6"),
        ],
    }
    result = evaluate(case)
    assert result["trades"] == [["LONG", 100, 110, 4]]
    assert money(result, "net", "tax_net") == [16, 16]


@pytest.mark.parametrize(("keep", "entries"), [([], [200]), ([["SOLUSDT", 2]], [150])])
def test_sixty_days_of_rest_set_a_trade_aside_unless_kept(keep: Row, entries: list[int]) -> None:
    """§3.6: of 100 (January) and 200 (March)."""
    first = fill("SOLUSDT", 1, "BUY", "100", "1")
    first[7] = "2026-01-01T08:00:00Z"
    case = {
        "keep": keep,
        "spot": [
            first,
            fill("SOLUSDT", 2, "BUY", "200", "1"),
            fill("SOLUSDT", 3, "SELL", "210", "2"),
        ],
    }
    assert [trade[1] for trade in evaluate(case)["trades"]] == entries


def test_a_remainder_below_the_rules_goes_to_the_stack() -> None:
    """§3.4: by the step, by the minimum, and never by a rule that was seen later."""
    case = {
        "spot": [
            fill("BTCUSDT", 1, "BUY", "60000", "0.1"),
            fill("BTCUSDT", 2, "SELL", "60000", "0.0999"),
        ]
    }
    remainder = {"BTC": Fraction("0.0001")}
    assert evaluate(case)["open"] == remainder
    assert evaluate(case | {"rules": {"BTCUSDT": ["0.001", "0"]}})["stack"] == remainder
    assert evaluate(case | {"rules": {"BTCUSDT": ["0.00001", "6.1"]}})["stack"] == remainder
    assert evaluate(case | {"rules": {"BTCUSDT": ["0.00001", "6"]}})["open"] == remainder
    seen = {"BTCUSDT": [[on(1), "0.00001", "5"], [on(3), "0.001", "5"]]}
    assert evaluate(case, since_rules=seen)["open"] == remainder


def test_a_fee_leaves_the_stack_before_the_trade() -> None:
    """§3.3: interest of 0.01 BNB pays it; the trade of 1 BNB stays whole."""
    case = bought_and_sold("0.001 BNB")
    case["dividends"] = [["BNB", "0.01", on(1)]]
    case["spot"].insert(0, fill("BNBUSDT", 1, "BUY", "500", "1"))
    result = evaluate(case)
    assert result["open"] == {"BNB": 1}
    assert result["stack"] == {"BNB": Fraction("0.009")}


def test_a_conversion_takes_the_trade_before_the_stack() -> None:
    """§3.3: 1 SOL of interest at 100 stays, 1 bought at 150 is converted at 160."""
    case = {
        "price": {"SOL": "100"},
        "dividends": [["SOL", "1", on(1)]],
        "spot": [fill("SOLUSDT", 2, "BUY", "150", "1")],
        "converts": [["c", "SOL", "1", "USDT", "160", on(3)]],
    }
    result = evaluate(case)
    assert (result["trades"], result["stack"]) == ([["LONG", 150, 160, 10]], {"SOL": 1})
    assert money(result, "net", "tax_net") == [10, 60]
