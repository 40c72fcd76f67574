"""What comes in and goes out, and what it earns (money.md 2), by hand."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

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
    perp,
    sell,
    settled,
    stack,
)


def test_2_1_every_way_out_is_a_match_of_its_own_kind() -> None:
    """10 SOL at 100; each exit of 1 is worth 150."""
    found = ledger(
        buy("SOLUSDT", 1, "100", "10"),
        sell("SOLUSDT", 2, "150", "1"),
        changed("c", "1 SOL", "150 USDT", at(3)),
        changed("d", "1 SOL", "0.25 BNB", at(4), "dust"),
        moved("w", "SOL", "-1", at(5)),
        moved("i", "SOL", "-1", at(6), kind="income"),
        buy("BTCUSDT", 7, "60000", "1", "1 SOL"),
        prices=constant(SOL="150", BNB="600"),
    )
    told = [(match.kind, match.net) for match in found.matches]
    assert told == [
        ("sold", 50),
        ("converted", 50),
        ("dusted", 50),
        ("withdrawn", 50),
        ("paid", 50),
        ("fee", 50),
    ]


def test_2_1_spent_on_another_pair_is_an_exit_at_that_moments_worth() -> None:
    """The chase: 1 BTC of 20000 is spent on 20 ETH when it is worth 60000, and comes back."""
    found = ledger(
        buy("BTCUSDT", 1, "20000", "1"),
        buy("ETHBTC", 2, "0.05", "20"),
        sell("ETHBTC", 3, "0.05", "20", "0 BTC"),
        sell("BTCUSDT", 4, "60000", "1"),
        prices=constant(BTC="60000"),
    )
    assert [(m.asset, m.kind, m.net) for m in found.matches] == [
        ("BTC", "spent", 40000),
        ("ETH", "sold", 0),
        ("BTC", "sold", 0),
    ]
    assert [(t.asset, t.net) for t in found.trades] == [("BTC", 40000), ("ETH", 0)]


def test_2_1_income_is_at_its_worth_and_a_deposit_is_not_apart() -> None:
    found = ledger(
        moved("i", "SOL", "1", at(1), kind="income"),
        moved("d", "SOL", "1", at(2)),
        sell("SOLUSDT", 3, "150", "2"),
        prices=constant(SOL="100"),
    )
    assert (paid(found, "income"), paid(found, "deposit"), net(found)) == (100, 100, 100)
    assert {match.apart for match in found.matches} == {0}


def test_2_1_a_swapped_coin_keeps_cost_and_dates_at_its_ratio() -> None:
    found = ledger(
        buy("MATICUSDT", 1, "1", "100"),
        changed("s", "100 MATIC", "10 POL", at(2), "swap"),
        sell("POLUSDT", 3, "15", "10"),
    )
    [match] = found.matches
    assert (match.asset, match.opened_at, match.entry_price, match.net) == ("POL", at(1), 10, 50)
    assert (found.trades, kinds(found)) == ([], [])  # the open trade was set aside first


def test_2_1_a_coin_that_was_renamed_twice_keeps_its_cost() -> None:
    found = ledger(
        buy("AAAUSDT", 1, "1", "10"),
        changed("s1", "10 AAA", "10 MID", at(2), "swap"),
        changed("s2", "10 MID", "20 ZZZ", at(3), "swap"),
        sell("ZZZUSDT", 4, "1", "20"),
    )
    assert (net(found), found.positions, kinds(found)) == (10, [], [])


def test_2_1_a_coin_that_was_renamed_and_back_keeps_its_cost() -> None:
    """100 LEND at 1 become 1 AAVE and 100 LEND again; a purchase of 50 at 3 stands beside them."""
    found = ledger(
        buy("LENDUSDT", 1, "1", "100"),
        changed("s1", "100 LEND", "1 AAVE", at(2), "swap"),
        buy("LENDUSDT", 3, "3", "50"),
        changed("s2", "1 AAVE", "100 LEND", at(4), "swap"),
        sell("LENDUSDT", 5, "2", "150"),
    )
    assert sorted((m.quantity, m.opened_at, m.entry_price, m.net) for m in found.matches) == [
        (50, at(3), 3, -50),
        (100, at(1), 1, 100),
    ]
    assert (net(found), found.positions, kinds(found)) == (50, [], [])


def test_2_1_two_renamings_there_and_back_within_an_instant_keep_every_lot() -> None:
    found = ledger(
        buy("AAAUSDT", 1, "1", "10"),
        buy("BBBUSDT", 1, "4", "10", time=at(1, 9)),
        changed("s1", "10 AAA", "10 BBB", at(2), "swap"),
        changed("s2", "20 BBB", "20 AAA", at(2), "swap"),
        sell("AAAUSDT", 3, "5", "20"),
    )
    assert (net(found), found.positions, kinds(found)) == (50, [], [])


def test_2_7_what_was_swapped_beyond_everything_held_comes_in_at_its_worth() -> None:
    """6 of 10 were bought at 1; the price is 2 when they are renamed."""
    found = ledger(
        buy("AAAUSDT", 1, "1", "6"),
        changed("s", "10 AAA", "10 BBB", at(2), "swap"),
        prices=constant(AAA="2"),
    )
    [position] = found.positions
    assert (position.cost, position.known_quantity, paid(found, "deposit")) == (14, 6, 8)
    assert kinds(found) == ["oversold"]


def test_2_3_a_fee_of_all_that_comes_is_lost_and_told() -> None:
    found = ledger(buy("BTCUSDT", 1, "100", "1", "1 BTC"))
    assert (net(found), earned(found.all_trades), found.positions) == (-100, -100, [])


def test_2_2_net_is_worth_less_cost_and_both_fees_by_quantity() -> None:
    """2 at 100 for a fee of 2; half sold at 130 for a fee of 1: 30 - 1 - 1."""
    found = ledger(
        buy("SOLUSDT", 1, "100", "2", "2 USDT"), sell("SOLUSDT", 2, "130", "1", "1 USDT")
    )
    [match] = found.matches
    assert (match.gross, match.fees, match.net, match.time) == (30, 2, 28, at(2))
    [position] = found.positions
    assert (position.cost, position.entry_fees) == (100, 1)


def test_2_3_a_fee_in_the_coin_that_comes_is_no_match() -> None:
    """1 BTC less 0.001: 0.999 at 59940, and 60 of entry fee."""
    found = ledger(buy("BTCUSDT", 1, "60000", "1", "0.001 BTC"), prices=constant(BTC="1"))
    [position] = found.positions
    assert (position.quantity, position.cost, position.entry_fees) == (D("0.999"), 59940, 60)
    assert found.matches == []


def test_2_3_of_a_sale_for_a_coin_the_fee_is_the_matches_exit_fee() -> None:
    """20 ETH sold for 1 BTC less 0.001 at 60000: 60 of fee, and the BTC costs 59940."""
    found = ledger(
        buy("ETHUSDT", 1, "3000", "20"),
        sell("ETHBTC", 2, "0.05", "20", "0.001 BTC"),
        prices=constant(BTC="60000"),
    )
    [match] = found.matches
    assert (match.asset, match.gross, match.fees, match.net) == ("ETH", 0, 60, -60)
    [position] = found.positions
    assert (position.asset, position.quantity, position.cost) == ("BTC", D("0.999"), 59940)
    assert position.entry_fees == 0


def test_2_3_a_fee_in_another_coin_leaves_its_lots_and_counts_once() -> None:
    """0.001 BNB of 500 is worth 0.6 then: the fee is 0.6, and BNB gained 0.1."""
    found = ledger(
        buy("BNBUSDT", 1, "500", "1"),
        buy("BTCUSDT", 2, "60000", "0.01", "0.001 BNB"),
        sell("BTCUSDT", 3, "60000", "0.01"),
        prices=constant(BNB="600"),
    )
    assert [(m.kind, m.net) for m in found.matches] == [("fee", D("0.1")), ("sold", D("-0.6"))]
    assert held(found) == {"BNB": D("0.999")}


def test_2_3_a_fee_in_the_spent_coin_leaves_that_coins_lots() -> None:
    """A purchase on ETHBTC that pays its fee in BTC: two matches of BTC, one fee."""
    found = ledger(
        buy("BTCUSDT", 1, "50000", "1"),
        buy("ETHBTC", 2, "0.05", "10", "0.0005 BTC"),
        prices=constant(BTC="60000"),
    )
    assert [(m.kind, m.quantity, m.net) for m in found.matches] == [
        ("spent", D("0.5"), 5000),
        ("fee", D("0.0005"), 5),
    ]
    [ether] = [p for p in found.positions if p.asset == "ETH"]
    assert (ether.cost, ether.entry_fees) == (30000, 30)


def test_2_3_a_negative_fee_comes_into_the_stack_and_lowers_the_fee() -> None:
    found = ledger(
        buy("BTCUSDT", 1, "60000", "1", "-0.01 BNB"),
        sell("BTCUSDT", 2, "60000", "1"),
        prices=constant(BNB="600"),
    )
    assert (earned(found.trades), stack(found)) == (6, {"BNB": D("0.01")})
    assert [(p.asset, p.cost) for p in found.positions] == [("BNB", 6)]


def test_2_3_a_split_sale_splits_its_fee_by_quantity() -> None:
    """3 sold for a fee of 3: 1 of the trade, 2 of the stack."""
    found = ledger(
        moved("d", "SOL", "2", at(1)),
        buy("SOLUSDT", 2, "100", "1"),
        sell("SOLUSDT", 3, "110", "3", "3 USDT"),
        prices=constant(SOL="100"),
    )
    assert sorted((t.kind, t.gross, t.fees) for t in found.all_trades) == [
        ("stack", 20, 2),
        ("trade", 10, 1),
    ]


def test_2_3_a_flip_splits_its_fee_by_quantity() -> None:
    found = ledger(perp(1, "BUY", "100", "1"), perp(2, "SELL", "110", "3", fee="3 USDT"))
    assert [(t.direction, t.fees) for t in found.trades] == [("LONG", 1), ("SHORT", 0)]
    assert found.positions[0].entry_fees == 2


def test_2_3_average_pools_fees_as_it_pools_cost() -> None:
    """100 at 10 (fee 2.5) and 100 at 15 (fee 3.75): a unit is 12.5 with 0.03125 of fee."""
    found = ledger(
        buy("BNBUSDT", 1, "10", "100", "2.5 USDT"),
        buy("BNBUSDT", 2, "15", "100", "3.75 USDT"),
        sell("BNBUSDT", 3, "12", "50", "1.5 USDT"),
        method="average",
    )
    assert net(found) == D("-28.0625")
    [position] = found.positions
    assert (position.cost, position.entry_fees) == (1875, D("4.6875"))


@pytest.mark.parametrize(
    ("side", "price", "expected"), [("BUY", "0.999", "0.5"), ("SELL", "1.002", "1.5")]
)
def test_2_5_between_two_dollars_the_difference_is_realised_at_once(
    side: str, price: str, expected: str
) -> None:
    """1000 USDC, less a fee of 0.5."""
    exchange = (buy if side == "BUY" else sell)("USDCUSDT", 1, price, "1000", "0.5 USDT")
    found = ledger(exchange)
    assert [(m.kind, m.net) for m in found.matches] == [("exchange", D(expected))]
    assert (found.all_trades, found.positions) == ([], [])


def test_2_5_a_conversion_between_two_dollars_too() -> None:
    found = ledger(changed("c", "1000 USDC", "999.5 USDT", at(1)))
    assert [(m.kind, m.net) for m in found.matches] == [("exchange", D("-0.5"))]


def test_2_5_a_currency_goes_at_the_dollars_of_the_fill() -> None:
    """1000 EUR came at 1.10; 500 go at 1.12, so the rest is booked at 540 in all."""
    found = ledger(
        moved("d", "EUR", "1000", at(1)),
        sell("EURUSDT", 2, "1.12", "500"),
        prices=constant(EUR="1.1"),
    )
    assert (net(found), found.currencies) == (0, {"EUR": (500, 540)})


def test_2_5_between_two_currencies_both_move_at_one_worth() -> None:
    """100 EUR for 4000 TRY, whatever the euro's own rate: the lira is the quote."""
    found = ledger(
        changed("c", "100 EUR", "4000 TRY", at(1)), prices=constant(EUR="1.1", TRY="0.03")
    )
    booked = found.currencies
    assert booked["EUR"][1] == -booked["TRY"][1] == -110
    assert net(found) == 0


def test_2_6_what_is_withdrawn_is_a_match_and_the_networks_part_a_fee() -> None:
    """0.5 BTC and 0.001 for the network at 60000, of 1 bought at 50000."""
    found = ledger(
        buy("BTCUSDT", 1, "50000", "1"),
        moved("w", "BTC", "-0.501", at(2), fee=D("0.001")),
        prices=constant(BTC="60000"),
    )
    assert {(m.kind, m.net) for m in found.matches} == {("withdrawn", 5000), ("fee", 10)}
    assert (paid(found, "withdrawal"), paid(found, "income")) == (-30000, -60)


def test_2_7_a_shortfall_comes_in_at_that_moments_worth() -> None:
    found = ledger(buy("SOLUSDT", 1, "100", "1"), sell("SOLUSDT", 2, "150", "3", "3 USDT"))
    [deposit] = found.payments
    assert (deposit.kind, deposit.quantity, deposit.worth, deposit.is_assumed) == (
        "deposit",
        2,
        300,
        True,
    )
    [problem] = found.problems
    assert (problem.kind, problem.quantity, problem.worth) == ("oversold", 2, 300)
    assert [(m.net, m.apart) for m in found.matches] == [(49, 0), (-2, 1)]
    assert all(position.quantity > 0 for position in found.positions)


def test_2_7_a_problem_names_its_own_pair_where_two_have_the_same_id() -> None:
    found = ledger(
        buy("BTCUSDT", 1, "60000", "1"),
        sell("BTCEUR", 1, "55000", "3", time=at(2)),
        prices=constant(EUR="1.1"),
    )
    [problem] = found.problems
    assert (problem.kind, problem.symbol, problem.quantity) == ("oversold", "BTCEUR", 2)


def test_2_7_it_vanishes_when_the_missing_row_arrives() -> None:
    late = sell("SOLUSDT", 2, "150", "1")
    found = ledger(late)
    found.extend([buy("SOLUSDT", 1, "100", "1")])
    assert (kinds(found), found.payments, net(found)) == ([], [], 50)


def test_2_7_there_are_no_shorts_on_spot() -> None:
    found = ledger(sell("SOLUSDT", 1, "150", "1"), buy("SOLUSDT", 2, "100", "1"))
    assert [t.direction for t in found.all_trades] == ["LONG", "LONG"]
    assert held(found) == {"SOL": 1}


def test_2_4_funding_counts_at_its_own_time_and_no_fee_counts_twice() -> None:
    """Net of matches + funding: 10 - 0.2 + 0.5."""
    found = ledger(
        perp(1, "BUY", "100", "1", fee="0.1 USDT"),
        settled("f", "0.5", at(2)),
        perp(3, "SELL", "110", "1", fee="0.1 USDT"),
    )
    [trade] = found.trades
    assert (net(found), paid(found, "funding"), trade.net) == (D("9.8"), D("0.5"), D("10.3"))
    assert [p.time for p in found.payments] == [at(2)]
