"""The reference model by hand-worked values, and its identity over random histories."""

from fractions import Fraction
from typing import Any

import pytest

from tests.money import cases
from tests.money.histories import random_case, rows_since
from tests.money.model import METHODS, Result, evaluate

Trades = list[list[str | Fraction]]


def fractions(*rows: tuple[str, str, str, str]) -> Trades:
    return [[row[0], *map(Fraction, row[1:])] for row in rows]


def assert_identity(result: Result) -> None:
    """money.md §6, in both views; nothing is unexplained, as nothing is reported."""
    change = result["worth"] - result["opening"] - result["deposits"] + result["withdrawals"]
    beside = result["income"] + result["currency_effect"]
    assert result["net"] + result["unrealised"] + beside == change
    assert result["tax_net"] + result["tax_unrealised"] + beside == change


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", cases.ALL)
def test_the_identity_holds_for_the_hand_made_cases(name: str, method: str) -> None:
    assert_identity(evaluate(cases.ALL[name], method))


def test_a_coin_bought_on_one_pair_and_sold_on_two_is_one_trade() -> None:
    result = evaluate(cases.TWO_PAIRS_ONE_COIN)
    assert result["trades"] == fractions(("LONG", "60000", "61500", "1500"))
    assert (result["net"], result["open"], result["problems"]) == (1500, {}, [])


def test_a_history_that_begins_inside_a_short_is_not_turned_round() -> None:
    result = evaluate(cases.BEGINS_INSIDE_A_SHORT)
    assert result["trades"] == fractions(("SHORT", "110", "105", "5"))
    assert (result["apart"], result["open"]) == (Fraction("12.3"), {})
    assert result["problems"] == ["history_begins_inside_a_position"]


def test_a_coin_keeps_its_cost_in_another_own_wallet() -> None:
    result = evaluate(cases.OWN_WALLET_AND_BACK)
    assert result["trades"] == fractions(("LONG", "50000", "60000", "10000"))
    assert result["problems"] == []


def test_funding_belongs_to_what_was_held_at_the_hour() -> None:
    late = evaluate(cases.FUNDING_FOUR_SECONDS_LATE)
    assert (late["net"], late["problems"]) == (Fraction("0.5"), [])
    flipped = evaluate(cases.FUNDING_BEFORE_A_FLIP)
    assert [trade[3] for trade in flipped["trades"]] == [Fraction("0.5"), 1]


def test_funding_of_a_locked_hedge_goes_by_the_sign_of_the_rate() -> None:
    result = evaluate(cases.LOCKED_HEDGE_FUNDING)
    assert result["trades"] == fractions(
        ("LONG", "100", "105", "4.99"), ("SHORT", "100", "104", "-3.99")
    )


def test_dust_of_one_coin_twice_counts_twice() -> None:
    result = evaluate(cases.DUST_SAME_COIN_TWICE)
    assert result["stack"] == {"BNB": Fraction("0.0005292")}
    assert result["problems"] == ["oversold"]


def test_a_delivery_ends_the_position() -> None:
    result = evaluate(cases.DELIVERED_QUARTERLY)
    assert result["trades"] == fractions(("LONG", "100", "120", "20"))
    assert result["open"] == {}


@pytest.mark.parametrize(("method", "tax_net"), [("fifo", 20100), ("lifo", 100)])
def test_day_trades_stand_beside_a_stack(method: str, tax_net: int) -> None:
    result = evaluate(cases.STACK_AND_DAY_TRADES, method)
    assert result["trades"] == fractions(*[("LONG", "60000", "60100", "10")] * 10)
    assert (result["stack"], result["unrealised"]) == ({"BTC": 1}, 20100)
    assert (result["net"], result["tax_net"]) == (100, tax_net)


def test_interest_does_not_glue_day_trades() -> None:
    result = evaluate(cases.INTEREST_BETWEEN_DAY_TRADES)
    assert result["trades"] == fractions(*[("LONG", "60000", "60100", "10")] * 5)
    assert (result["net"], result["stack"]) == (50, {"BTC": Fraction("0.001")})


def test_an_older_purchase_leaves_a_later_trade_alone() -> None:
    result = evaluate(cases.NOTE_THEN_OLDER_EXPORT)
    assert result["trades"] == fractions(("LONG", "2000", "2100", "100"))
    assert result["stack"] == {"ETH": Fraction("0.5")}


@pytest.mark.parametrize("method", METHODS)
def test_the_identity_holds_for_random_histories(method: str) -> None:
    for seed in range(300):
        assert_identity(evaluate(random_case(seed), method))


@pytest.mark.parametrize("method", METHODS)
def test_the_identity_holds_where_prices_move(method: str) -> None:
    for seed in range(60):
        assert_identity(evaluate(random_case(seed, moving=True), method))


def test_a_seed_always_gives_the_same_history() -> None:
    assert random_case(7) == random_case(7)
    assert random_case(7) != random_case(8)


def test_a_plain_history_has_only_the_keys_of_a_case() -> None:
    keys = "name spot usdm transfers income dividends dribblet position_now funding_rate rules"
    for seed in range(50):
        assert set(random_case(seed, plain=True)) <= {*keys.split(), "price", "set_aside"}


@pytest.mark.parametrize("method", METHODS)
def test_the_identity_holds_wherever_a_history_begins(method: str) -> None:
    for seed in range(80):
        whole = random_case(seed)
        rows = whole["spot"] or whole["usdm"]
        if rows:
            assert_identity(evaluate(rows_since(whole, rows[len(rows) // 2][7]), method))


def perpetuals(seed: int) -> dict[str, Any]:
    """Futures alone, without what is delivered: of that no position is told."""
    case = random_case(seed, spot=False, futures=True, priced=True, begins_inside=False)
    case["usdm"] = [row for row in case["usdm"] if "_" not in row[0]]
    case["income"] = [row for row in case["income"] if "_" not in row[3]]
    return case


@pytest.mark.parametrize("method", METHODS)
def test_without_its_first_half_no_trade_turns_round(method: str) -> None:
    """What is listed of the second half stands in the whole as well; what is open is the same."""
    listed = 0
    for seed in range(150):
        whole = perpetuals(seed)
        if len(whole["usdm"]) < 2:
            continue
        half = rows_since(whole, whole["usdm"][len(whole["usdm"]) // 2][7])
        before, after = evaluate(whole, method), evaluate(half, method)
        known = [trade[:3] for trade in before["trades"]]
        assert [trade[:3] for trade in after["trades"] if trade[:3] not in known] == []
        assert after["open"] == before["open"]
        assert_identity(after)
        listed += len(after["trades"])
    assert listed > 100
