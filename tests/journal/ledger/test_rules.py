"""A hand-worked case for every rule of the ledger."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

from decimal import Decimal as D
from typing import Any

import pytest

from journal.ledger import Fill, Funding, Rules, Transfer, compute
from tests.journal.ledger.make import buy, sell

PERP: dict[str, Any] = {"market": "usdm"}


@pytest.mark.parametrize(
    ("method", "gross"),
    [
        ("fifo", "20"),  # the 100 is sold at 120
        ("lifo", "10"),  # the 110 is sold at 120
        ("hifo", "0"),  # the 120 is sold at 120
        ("average", "10"),  # (100 + 120 + 110) / 3 = 110 is sold at 120
    ],
)
def test_each_method_takes_its_own_lot(method: str, gross: str) -> None:
    fills = [buy(1, "1", "100"), buy(2, "1", "120"), buy(3, "1", "110"), sell(4, "1", "120")]
    assert [match.gross for match in compute(fills, method=method).matches] == [D(gross)]


def test_a_round_trip_goes_from_flat_to_flat() -> None:
    fills = [
        buy(1, "1", "100", fee="1"),
        buy(2, "1", "110", fee="1"),
        sell(3, "0.5", "120", fee="1"),
        sell(4, "1.5", "130", fee="1"),
        buy(5, "1", "90"),
    ]
    first, second = compute(fills).trades
    # 0.5 (120-100) + 0.5 (130-100) + 1 (130-110) = 10 + 15 + 20
    assert (first.quantity, first.gross, first.fees, first.net) == (D(2), D(45), D(4), D(41))
    assert (first.entry_price, first.exit_price) == (D(105), D("127.5"))
    assert (first.opened_at, first.closed_at, first.fill_ids) == (1, 4, (1, 2, 3, 4))
    assert (second.opened_at, second.closed_at, second.exit_price) == (5, None, None)


def test_a_flip_splits_one_fill_with_its_fee_pro_rata() -> None:
    fills = [buy(1, "2", "100", **PERP), sell(2, "3", "110", fee="3", **PERP)]
    ledger = compute(fills)
    long, short = ledger.trades
    assert (long.direction, long.gross, long.fees, long.net) == ("LONG", D(20), D(2), D(18))
    assert (short.direction, short.quantity, short.closed_at) == ("SHORT", D(1), None)
    [position] = ledger.positions
    assert (position.quantity, position.average_price, position.fees) == (D(-1), D(110), D(1))


def test_a_short_gains_when_the_price_falls() -> None:
    [trade] = compute([sell(1, "2", "100", **PERP), buy(2, "2", "90", **PERP)]).trades
    assert (trade.direction, trade.gross) == ("SHORT", D(20))


def test_a_fee_in_the_base_coin_lowers_what_is_held_and_counts_as_fee() -> None:
    fills = [buy(1, "1", "2000", fee="0.001", fee_asset="BTC"), sell(2, "0.999", "2100", fee="2")]
    [trade] = compute(fills).trades
    # 0.999 x 100 - 0.001 x 2000 - 2 = -2000 + 0.999 x 2100 - 2 = 95.9
    assert (trade.quantity, trade.gross, trade.fees, trade.net) == (
        D("0.999"),
        D("99.9"),
        D(4),
        D("95.9"),
    )
    assert trade.closed_at == 2


def test_a_base_fee_on_a_sale_takes_more_coins() -> None:
    fills = [buy(1, "1.001", "100"), sell(2, "1", "110", fee="0.001", fee_asset="BTC")]
    [trade] = compute(fills).trades
    # cash: -100.1 + 110 = 9.9; gross 1.001 x 10 = 10.01, fee 0.001 x 110 = 0.11
    assert (trade.gross, trade.fees, trade.net) == (D("10.01"), D("0.11"), D("9.9"))


def test_a_fee_in_a_third_asset_is_valued_at_its_moment() -> None:
    def prices(asset: str, time: int) -> D:
        return {("BNB", 1): D(600), ("BNB", 2): D(610)}[asset, time]

    fills = [
        buy(1, "1", "100", fee="0.001", fee_asset="BNB"),
        sell(2, "1", "110", fee="0.001", fee_asset="BNB"),
    ]
    [trade] = compute(fills, prices=prices).trades
    assert (trade.fees, trade.net) == (D("1.21"), D("8.79"))


@pytest.mark.parametrize("prices", [None, lambda asset, time: None, lambda asset, time: {}[asset]])
def test_a_missing_price_is_a_problem_and_never_silent(prices: Any) -> None:
    ledger = compute([buy(1, "1", "100", fee="0.001", fee_asset="BNB")], prices=prices)
    problem, unseen = ledger.problems
    assert (problem.kind, problem.fill_id, problem.quantity) == ("missing_price", 1, D("0.001"))
    assert "BNB" in problem.message
    assert (unseen.kind, unseen.asset, unseen.worth) == (
        "oversold",
        "BNB",
        0,
    )  # it was never bought


def test_several_fees_on_one_fill_add_up() -> None:
    fills = [buy(1, "1", "100", fee="1", fees=((D("0.5"), "USDT"), (D("0.01"), "BTC")))]
    [position] = compute(fills).positions
    assert (position.fees, position.quantity) == (D("2.5"), D("0.99"))


def test_a_rebate_is_a_negative_fee() -> None:
    [trade] = compute([buy(1, "1", "100", fee="-0.1"), sell(2, "1", "100")]).trades
    assert trade.net == D("0.1")


def test_funding_belongs_to_the_open_trade_across_partial_closes() -> None:
    funding = [
        Funding("a", 2, "BTCUSDT", D("-1"), "USDT"),
        Funding("b", 4, "BTCUSDT", D("0.5"), "USDT"),
    ]
    fills = [buy(1, "2", "100", **PERP), sell(3, "1", "110", **PERP), sell(5, "1", "120", **PERP)]
    [trade] = compute(fills, funding=funding).trades
    assert (trade.gross, trade.funding, trade.net) == (D(30), D("-0.5"), D("29.5"))


def test_funding_without_a_position_is_a_problem() -> None:
    funding = [Funding("a", 9, "BTCUSDT", D("-1"), "USDT")]
    fills = [buy(1, "1", "100", **PERP), sell(2, "1", "110", **PERP)]
    assert [p.kind for p in compute(fills, funding=funding).problems] == [
        "funding_without_position"
    ]


def test_hedge_mode_keeps_two_books_and_shares_funding_by_signed_size() -> None:
    fills = [
        buy(1, "3", "100", position_side="LONG", **PERP),
        sell(2, "1", "100", position_side="SHORT", **PERP),
        sell(4, "3", "110", position_side="LONG", **PERP),
        buy(5, "1", "110", position_side="SHORT", **PERP),
    ]
    funding = [Funding("a", 3, "BTCUSDT", D("-4"), "USDT")]
    long, short = compute(fills, funding=funding).trades
    # at one rate a long of 3 pays 6 where a short of 1 receives 2: together -4
    assert (long.direction, long.gross, long.funding) == ("LONG", D(30), D(-6))
    assert (short.direction, short.gross, short.funding) == ("SHORT", D(-10), D(2))
    named = [Funding("a", 3, "BTCUSDT", D(-1), "USDT", position_side="SHORT")]
    assert [t.funding for t in compute(fills, funding=named).trades] == [0, D(-1)]


def test_funding_of_one_account_stays_there_though_ids_are_equal() -> None:
    fills = [buy(1, "1", "100", account="a", **PERP), buy(1, "3", "100", account="b", **PERP)]
    funding = [
        Funding(7, 2, "BTCUSDT", D(-4), "USDT", "a"),
        Funding(7, 2, "BTCUSDT", D(-12), "USDT", "b"),
    ]
    ledger = compute(fills, funding=funding)
    assert [p.funding for p in ledger.positions] == [D(-4), D(-12)]
    assert ledger.problems == []


def test_a_fee_is_converted_where_the_quote_is_no_dollar() -> None:
    prices = {"BNB": D(600), "BTC": D(60_000)}
    fills = [
        buy(1, "1", "0.05", fee="0.001", fee_asset="BNB", symbol="ETHBTC", base="ETH", quote="BTC")
    ]
    [position] = compute(fills, prices=lambda asset, time: prices[asset]).positions
    assert (position.fees, position.average_price) == (D("0.6"), D(3000))  # in dollars


def test_an_odd_price_does_not_end_a_large_position() -> None:
    fills = [buy(1, "10", "100"), sell(2, "1", "1"), sell(3, "9", "110")]
    [trade] = compute(fills, rules={"BTCUSDT": (0, 5)}).trades
    assert (trade.closed_at, trade.net) == (3, D(-9))  # 9 at 1 are worth 9: not below 5


def test_a_holding_of_unknown_cost_does_not_keep_trades_open() -> None:
    fills = [
        buy(1, "1", "100", at=2),
        sell(2, "1", "110", at=3),
        buy(3, "1", "100", at=4),
        sell(4, "1", "90", at=5),
    ]
    ledger = compute(fills, transfers=[Transfer("d", 1, "BTC", D(1))])
    assert [(t.net, t.closed_at) for t in ledger.trades] == [(D(10), 3), (D(-10), 5)]
    assert [p.quantity for p in ledger.positions] == [D(1)]


def test_a_purchase_that_only_left_by_transfer_is_taken_along_at_its_worth() -> None:
    fills, leaving = [buy(1, "1", "100", fee="2")], [Transfer("w", 2, "BTC", D(-1))]
    ledger = compute(fills, transfers=leaving, prices=lambda asset, time: D(130))
    [trade] = ledger.trades
    assert (trade.ended_by, trade.exit_price, trade.net) == ("withdrawn", D(130), D(28))
    assert (ledger.positions, ledger.problems) == ([], [])


def test_a_withdrawal_takes_the_coin_whatever_pair_brought_it() -> None:
    other: dict[str, Any] = {"symbol": "BTCFDUSD", "quote": "FDUSD"}
    fills = [
        buy(1, "1", "100"),
        buy(2, "1", "100", at=3, **other),
        sell(3, "1", "150", at=4, **other),
    ]
    ledger = compute(fills, transfers=[Transfer("w", 2, "BTC", D(-1))])
    assert [(t.symbol, t.ended_by, t.net) for t in ledger.trades] == [
        ("BTCUSDT", "withdrawn", 0),
        ("BTCFDUSD", "sold", 50),
    ]
    assert ledger.positions == []


def test_a_transfer_and_a_fill_of_one_id_have_other_keys() -> None:
    ledger = compute(
        [buy(1, "1", "100", at=5), sell(2, "1", "150"), sell(3, "1", "120", at=6)],
        transfers=[Transfer(1, 1, "BTC", D(1), D(100))],
    )
    assert len({trade.key for trade in ledger.trades}) == 2


def test_one_id_with_two_contents_is_a_conflict_in_any_order() -> None:
    fills = [buy(1, "1", "100"), buy(1, "1", "200"), sell(2, "1", "300")]
    ledgers = [compute(fills), compute(fills[::-1]), compute(fills[:1]).extend(fills[1:])]
    assert len({(tuple(x.trades), tuple(x.problems)) for x in ledgers}) == 1
    assert [p.kind for p in ledgers[0].problems] == ["conflict"]


def test_oversold_quantity_is_reported_and_was_there_unseen() -> None:
    ledger = compute([buy(1, "1", "100"), sell(2, "3", "110", fee="3")])
    [trade], [problem], [payment] = ledger.trades, ledger.problems, ledger.payments
    assert (payment.kind, payment.worth, payment.is_assumed) == ("deposit", D(220), True)
    [unseen] = [t for t in ledger.all_trades if t.kind == "stack"]
    assert (unseen.quantity, unseen.gross, unseen.fees, unseen.apart) == (2, 0, 2, 1)
    assert (trade.quantity, trade.gross, trade.fees) == (D(1), D(10), D(1))
    assert (problem.kind, problem.fill_id, problem.quantity) == ("oversold", 2, D(2))


def test_a_sale_of_nothing_makes_no_profit() -> None:
    ledger = compute([sell(1, "1", "100")])
    [match] = ledger.matches
    assert (match.net, match.apart, match.kind) == (0, 1, "sold")
    assert (ledger.trades, ledger.positions) == ([], [])
    assert [p.kind for p in ledger.problems] == ["oversold"]


def test_a_transfer_of_known_cost_is_an_entry() -> None:
    ledger = compute(
        [sell(2, "1", "150", fee="1")], transfers=[Transfer("t", 1, "BTC", D(1), D(100))]
    )
    [trade] = ledger.trades
    assert (trade.gross, trade.net, trade.fill_ids) == (D(50), D(49), ("t", 2))
    assert ledger.problems == []


def test_what_an_arrival_of_unknown_cost_brings_is_apart_and_a_problem() -> None:
    ledger = compute([sell(2, "1", "150")], transfers=[Transfer("t", 1, "BTC", D(1))])
    assert [(m.net, m.apart) for m in ledger.matches] == [(D(150), 1)]
    assert [(p.kind, p.quantity) for p in ledger.problems] == [("missing_price", D(1))]


def test_an_arrival_at_a_known_price_costs_that() -> None:
    ledger = compute(
        [sell(2, "1", "150")],
        transfers=[Transfer("t", 1, "BTC", D(1))],
        prices=lambda asset, time: D(120),
    )
    assert [(m.net, m.apart) for m in ledger.matches] == [(D(30), 0)]
    assert (ledger.trades, ledger.problems) == ([], [])  # it came into the stack


def test_a_transfer_out_takes_lots_away_at_their_worth() -> None:
    ledger = compute(
        [buy(1, "2", "100"), sell(3, "1", "150")],
        transfers=[Transfer("t", 2, "BTC", D(-1))],
        prices=lambda asset, time: D(130),
    )
    [trade] = ledger.trades
    assert [(m.kind, m.gross) for m in trade.matches] == [("withdrawn", 30), ("sold", 50)]
    assert (trade.gross, trade.closed_at, ledger.positions) == (D(80), 3, [])


def test_a_remainder_below_the_step_counts_as_flat_and_goes_to_the_stack() -> None:
    fills = [buy(1, "1", "100"), sell(2, "0.9995", "110"), buy(3, "1", "100"), sell(4, "1", "120")]
    ledger = compute(fills, rules={"BTCUSDT": Rules(D("0.001"), D(0))})
    first, second = ledger.trades
    assert (first.closed_at, first.gross) == (2, D("9.995"))
    # a sale takes the trade's own lots: the remainder of the first never joins the second
    assert (second.closed_at, second.gross, second.quantity) == (4, D("20"), D(1))
    [position] = ledger.positions
    assert (position.stack_quantity, position.trade_quantity) == (D("0.0005"), 0)


def test_a_remainder_below_the_minimum_notional_counts_as_flat() -> None:
    fills = [buy(1, "1", "100"), sell(2, "0.96", "100")]
    assert compute(fills, rules={"BTCUSDT": (0, 5)}).trades[0].closed_at == 2
    assert compute(fills, rules={"BTCUSDT": (0, 3)}).trades[0].closed_at is None


def test_an_inverse_contract_pays_in_its_coin() -> None:
    coin: dict[str, Any] = {
        "market": "coinm",
        "symbol": "BTCUSD_PERP",
        "quote": "USD",
        "contract_size": D(100),
    }
    fills = [
        buy(1, "2", "20000", fee="0.0001", fee_asset="BTC", **coin),
        sell(2, "2", "25000", fee="0.0001", fee_asset="BTC", **coin),
    ]
    [trade] = compute(fills).trades
    # 2 x 100 x (1/20000 - 1/25000) = 0.002 BTC
    assert (trade.gross, trade.fees, trade.net) == (D("0.002"), D("0.0002"), D("0.0018"))


def test_an_inverse_position_has_a_harmonic_average() -> None:
    coin: dict[str, Any] = {"market": "coinm", "symbol": "BTCUSD_PERP", "quote": "USD"}
    [position] = compute([buy(1, "1", "10000", **coin), buy(2, "1", "30000", **coin)]).positions
    assert position.average_price == D(15000)  # 2 / (1/10000 + 1/30000)


def test_ids_of_digits_sort_as_numbers_at_the_same_time() -> None:
    fills = [sell("10", "1", "110", at=1), buy("9", "1", "100", at=1)]
    [trade] = compute(fills).trades
    assert (trade.gross, trade.fill_ids) == (D(10), ("9", "10"))


def test_the_same_id_counts_once() -> None:
    ledger = compute([buy(1, "1", "100"), buy(1, "1", "100")])
    assert [p.quantity for p in ledger.positions] == [D(1)]
    assert [p.kind for p in ledger.problems] == ["duplicate"]


def test_accounts_markets_and_symbols_are_books_of_their_own() -> None:
    fills = [
        buy(1, "1", "100", account="a"),
        sell(2, "1", "110", account="b"),
        buy(3, "1", "100", symbol="ETHUSDT", base="ETH"),
        buy(4, "1", "100", **PERP),
    ]
    ledger = compute(fills)
    assert [(p.account, p.market, p.symbol) for p in ledger.positions] == [
        ("", "spot", "ETHUSDT"),
        ("", "usdm", "BTCUSDT"),
        ("a", "spot", "BTCUSDT"),
    ]
    assert [p.kind for p in ledger.problems] == ["oversold"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": "buy"}, "expected BUY or SELL"),
        ({"quantity": D(0)}, "expected more than 0"),
        ({"price": D(-1)}, "expected a price"),
        ({"market": "moon"}, "expected one of"),
        ({"position_side": "UP"}, "expected BOTH, LONG or SHORT"),
        ({"fee": D("NaN")}, "expected a finite number"),
    ],
)
def test_a_wrong_fill_is_refused_with_a_sentence(change: dict[str, Any], message: str) -> None:
    known: dict[str, Any] = {
        "id": 1,
        "time": 1,
        "symbol": "S",
        "base": "B",
        "quote": "Q",
        "side": "BUY",
        "price": D(1),
        "quantity": D(1),
    }
    with pytest.raises(ValueError, match=message):
        Fill(**{**known, **change})


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match="was the float"):
        Fill(1, 1, "S", "B", "Q", "BUY", 0.1, D(1))  # type: ignore[arg-type]


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of"):
        compute([], method="guess")
