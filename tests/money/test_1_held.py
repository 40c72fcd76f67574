"""What is held (money.md 1), by hand."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

from datetime import timedelta
from decimal import Decimal as D

import pytest

from tests.money.by_hand import (
    at,
    buy,
    changed,
    constant,
    earned,
    held,
    kinds,
    ledger,
    moved,
    net,
    paid,
    sell,
    settled,
    stack,
)


def test_1_1_a_coin_is_one_over_all_its_pairs() -> None:
    found = ledger(
        buy("BTCUSDT", 1, "60000", "1"),
        sell("BTCFDUSD", 2, "61000", "0.5", "0 FDUSD"),
        sell("BTCUSDC", 3, "62000", "0.5", "0 USDC"),
    )
    [trade] = found.trades
    assert (trade.entry_price, trade.exit_price, trade.net) == (60000, 61500, 1500)
    assert (trade.pairs, kinds(found)) == (("BTCUSDT", "BTCFDUSD", "BTCUSDC"), [])


def test_1_1_two_accounts_are_two_books() -> None:
    found = ledger(
        buy("BTCUSDT", 1, "100", "1", account="a"), sell("BTCUSDT", 2, "110", "1", account="b")
    )
    assert [(p.account, p.quantity) for p in found.positions] == [("a", 1)]
    assert kinds(found) == ["oversold"]


@pytest.mark.parametrize("dollar", ["USDT", "USDC", "FDUSD"])
def test_1_2_dollars_count_one_to_one_and_have_no_lots(dollar: str) -> None:
    found = ledger(moved("d", dollar, "100", at(1)), moved("w", dollar, "-150", at(2)))
    assert (paid(found, "deposit"), paid(found, "withdrawal")) == (100, -150)
    assert (found.positions, found.matches, kinds(found)) == ([], [], [])


def test_1_2_a_currency_is_cash_with_a_rate() -> None:
    found = ledger(moved("d", "EUR", "100", at(1)), prices=constant(EUR="1.1"))
    assert (paid(found, "deposit"), found.positions) == (110, [])
    assert found.currencies == {"EUR": (100, 110)}


def test_1_3_a_fill_is_worth_its_cash_side_whatever_prices_say() -> None:
    found = ledger(buy("BTCUSDT", 1, "60000", "1"), prices=constant(BTC="1"))
    assert found.positions[0].average_price == 60000


@pytest.mark.parametrize(
    ("prices", "worth"),
    [({"BTC": "60000", "ETH": "1"}, 3000), ({"ETH": "2900"}, 2900)],
    ids=["the quote's price", "else the base's"],
)
def test_1_3_both_sides_of_a_fill_between_coins_have_one_worth(
    prices: dict[str, str], worth: int
) -> None:
    """1 ETH at 0.05 BTC."""
    found = ledger(
        moved("d", "BTC", "1", at(1)), buy("ETHBTC", 2, "0.05", "1"), prices=constant(**prices)
    )
    [spent] = found.matches
    assert (spent.kind, spent.exit_price * spent.quantity) == ("spent", worth)
    [ether] = [p for p in found.positions if p.asset == "ETH"]
    assert ether.average_price == worth


@pytest.mark.parametrize(
    ("received", "prices", "worth"),
    [
        ("150 USDT", {"SOL": "1"}, 150),
        ("0.002 BTC", {"SOL": "160", "BTC": "1"}, 160),
        ("0.002 BTC", {"BTC": "60000"}, 120),
    ],
    ids=["cash", "the given coin's price", "the received one's"],
)
def test_1_3_what_a_conversion_is_worth(received: str, prices: dict[str, str], worth: int) -> None:
    found = ledger(changed("c", "1 SOL", received, at(2)), prices=constant(**prices))
    assert (paid(found, "deposit"), net(found)) == (worth, 0)  # it was there unseen
    assert [p.cost for p in found.positions] == [worth] * (received == "0.002 BTC")


def test_1_3_a_price_is_crossed_through_a_third_coin() -> None:
    """No candle at all: a BTC is 60000 by the account's own fill, so 20 SOLBTC tell SOL."""
    found = ledger(
        buy("BTCUSDT", 1, "60000", "1", time=at(1, 8, 0)),
        buy("SOLBTC", 2, "0.0025", "20", time=at(1, 8, 10)),
        moved("i", "SOL", "2", at(1, 8, 20), kind="income"),
    )
    assert (paid(found, "income"), kinds(found)) == (300, [])


@pytest.mark.parametrize(("minutes", "problems"), [(60, []), (61, ["missing_price"])])
def test_1_3_a_price_older_than_an_hour_is_used_and_told(minutes: int, problems: list[str]) -> None:
    time = at(1) + timedelta(minutes=minutes)
    found = ledger(
        buy("SOLUSDT", 1, "150", "1"),
        moved("i", "SOL", "1", time, kind="income"),
        prices=lambda asset, moment: None,
    )
    assert (paid(found, "income"), kinds(found)) == (150, problems)


def test_1_3_an_older_candle_gives_way_to_a_newer_fill_and_a_newer_one_stands() -> None:
    received = moved("i", "SOL", "1", at(3), kind="income")
    for told_at, worth in ((at(1), 150), (at(2, 9), 170)):
        found = ledger(
            buy("SOLUSDT", 2, "150", "1"),
            received,
            prices=lambda asset, moment, told_at=told_at: (D(170), told_at),
        )
        assert paid(found, "income") == worth


def test_1_3_no_price_of_later_is_ever_used() -> None:
    found = ledger(moved("i", "SOL", "1", at(1), kind="income"), sell("SOLUSDT", 2, "150", "1"))
    assert (paid(found, "income"), kinds(found)) == (0, ["missing_price"])
    assert [(match.net, match.apart) for match in found.matches] == [(150, 1)]


def test_1_3_without_any_price_an_event_counts_nothing_on_every_side() -> None:
    found = ledger(changed("c", "5 AAA", "7 BBB", at(1)))
    assert (paid(found, "deposit"), net(found)) == (0, 0)
    [position] = found.positions
    assert (position.asset, position.cost, position.known_quantity) == ("BBB", 0, 0)
    assert sorted(set(kinds(found))) == ["missing_price", "oversold"]


def test_1_4_at_one_instant_what_comes_in_stands_before_what_goes_out() -> None:
    """Deposit, conversion, fill, withdrawal, whatever order they are told in."""
    found = ledger(
        moved("w", "SOL", "-1", at(1)),
        sell("SOLUSDT", 1, "160", "2"),
        changed("c", "100 USDT", "1 SOL", at(1)),
        moved("d", "SOL", "2", at(1)),
        prices=constant(SOL="150"),
    )
    assert (kinds(found), found.positions) == ([], [])
    [trade] = found.trades  # its own first: 1 of 100; 1 of the stack at 150 is sold, 1 withdrawn
    assert (trade.net, {t.net for t in found.all_trades if t.kind == "stack"}) == (60, {10, 0})


@pytest.mark.parametrize("bringing", ["AAABTC", "ZZZBTC"])
def test_1_4_of_two_pairs_the_one_that_brings_the_coin_is_first(bringing: str) -> None:
    coin = bringing.removesuffix("BTC")
    found = ledger(
        moved("d", coin, "10", at(1, 1)),
        sell("BTCUSDT", 1, "60000", "1"),
        sell(bringing, 9, "0.1", "10", "0 BTC", time=at(1)),
        prices=constant(BTC="60000", AAA="6000", ZZZ="6000"),
    )
    assert (kinds(found), found.positions) == ([], [])


def test_1_4_within_a_pair_ids_go_by_their_number() -> None:
    found = ledger(
        sell("SOLUSDT", 10, "110", "1", time=at(1)), buy("SOLUSDT", 9, "100", "1", time=at(1))
    )
    assert (earned(found.trades), kinds(found)) == (10, [])


def test_1_4_a_settlement_paid_in_a_coin_comes_before_the_fills_of_its_instant() -> None:
    """The coin that funding brings can be sold at once."""
    found = ledger(
        buy("BTCUSDT", 1, "100", "1", market="usdm", time=at(1, 7)),
        sell("BNBUSDT", 2, "600", "0.01", time=at(1, 8)),
        settled("f", "0.01", at(1, 8), asset="BNB"),
        prices=constant(BNB="600"),
    )
    assert (kinds(found), stack(found), held(found)) == ([], {}, {"BTCUSDT": 1})
