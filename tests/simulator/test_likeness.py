"""A made-up market looks like one: its book is deep, spreads are narrow, takers' sides have a
memory, wild times cluster, and a small order moves nothing."""

from itertools import pairwise
from statistics import median

import numpy as np
import numpy.typing as npt
import pytest

from simulator.accounts.bank import Bank
from simulator.accounts.history import give_past
from simulator.amounts import UNIT
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.listing import listing
from simulator.sources.walk import DAY_MS, DAYS, USUAL, YEAR_HOURS, Walks

NOW_US = 1_790_035_200_000_000
SMALL = UNIT * 2 // 1000


class Lived:
    """Ten minutes of BTCUSDT, looked at ten times a second."""

    def __init__(self) -> None:
        self.now_us = NOW_US
        self.exchange = Exchange(Faults(), clock=lambda: self.now_us)
        self.exchange.list_generated("BTCUSDT", None, seed=3, pace=1.0)
        self.symbol = self.exchange.symbols["BTCUSDT"]
        self.depths: list[tuple[float, float]] = []
        self.spreads: list[int] = []
        for step in range(6_000):
            self.go_on()
            if step % 20 == 0:
                self._look()

    def go_on(self) -> None:
        self.now_us += 100_000
        self.exchange.advance()

    def _look(self) -> None:
        book = self.symbol.source.book
        bid, _, ask, _ = book.best()
        bids = sum(size for price, size in book.top_bids(1000) if price >= bid * 0.999)
        asks = sum(size for price, size in book.top_asks(1000) if price <= ask * 1.001)
        self.depths.append((bids / UNIT, asks / UNIT))
        self.spreads.append((ask - bid) // self.symbol.rules.tick)


@pytest.fixture(scope="module")
def lived() -> Lived:
    return Lived()


def correlation(values: npt.NDArray[np.float64], lag: int) -> float:
    return float(np.corrcoef(values[:-lag], values[lag:])[0, 1])


def test_several_coins_stand_within_a_thousandth(lived: Lived) -> None:
    for side in (0, 1):
        depths = sorted(depth[side] for depth in lived.depths)
        assert median(depths) > 4
        assert depths[len(depths) // 50] > 2


def test_spreads_are_a_tick_or_so(lived: Lived) -> None:
    assert median(lived.spreads) == 1
    assert max(lived.spreads) <= 5


def test_takers_sides_have_a_long_memory(lived: Lived) -> None:
    tape = lived.symbol.tape
    orders = {trade.time: trade.is_buyer_maker for trade in tape.between(1, tape.last_id)}
    signs = np.array([-1.0 if is_sell else 1.0 for is_sell in orders.values()])
    assert len(signs) > 2_000
    assert correlation(signs, 1) > 0.1
    assert correlation(signs, 20) > 0.02


def test_no_minute_is_a_wick_of_hundreds(lived: Lived) -> None:
    tape = lived.symbol.tape
    minutes: dict[int, list[int]] = {}
    for trade in tape.between(1, tape.last_id):
        minutes.setdefault(trade.time // 60_000_000, []).append(trade.price)
    trades = list(tape.between(1, tape.last_id))
    jumps = [abs(b.price - a.price) / a.price for a, b in pairwise(trades)]
    assert max(jumps) < 0.001
    assert all(max(prices) / min(prices) < 1.006 for prices in minutes.values())


def test_a_small_order_moves_nothing() -> None:
    lived = Lived()
    listed = lived.exchange.markets["spot"].listed["BTCUSDT"]
    paid = []
    for number in range(100):
        for _ in range(5):
            lived.go_on()
        book, is_buy = lived.symbol.source.book, number % 2 == 0
        best = book.best_ask if is_buy else book.best_bid
        rows = listed.take(is_buy, SMALL, 0, lived.now_us)
        assert sum(row.quantity for row in rows) == SMALL
        paid.append(abs(rows[-1].price - best) / UNIT)
    assert max(paid) < 20
    assert sorted(paid)[80] == 0


# --- the year -----------------------------------------------------------------------------------


def test_wild_hours_cluster_and_days_have_their_hours() -> None:
    walk = Walks(1, NOW_US // 1000 // DAY_MS * DAY_MS - DAYS * DAY_MS).of("BTC")
    ends = np.array([walk.steps(hour)[-1] for hour in range(YEAR_HOURS)])
    moves = np.diff(ends)
    assert 0.5 * USUAL < float(moves.std()) < 2 * USUAL
    assert abs(correlation(moves, 1)) < 0.05
    assert correlation(np.abs(moves), 1) > 0.05
    assert correlation(np.abs(moves), 24) > 0.02
    busy = walk.activity(0, DAYS * 24).reshape(DAYS, 24).sum(axis=0).tolist()
    assert max(range(24), key=busy.__getitem__) in range(13, 17)
    assert min(range(24), key=busy.__getitem__) in range(2, 8)


def test_an_hour_ends_where_the_next_one_begins() -> None:
    walks = Walks(1, 0)
    for hour in (0, 17, YEAR_HOURS - 1, YEAR_HOURS + 5_000):
        steps = walks.of("ETH").steps(hour)
        assert abs(steps[-1] - walks.of("ETH").steps(hour + 1)[0]) < 1e-12
    assert walks.of("ETH").steps(YEAR_HOURS)[0] == 0
    rules = listing("ETHUSDT")
    assert walks.at(rules, YEAR_HOURS * 3_600_000) == rules.price


def test_the_demo_enters_with_and_against_the_flow_and_has_stops() -> None:
    exchange = Exchange(Faults(), clock=lambda: NOW_US)
    for market, names in (("spot", ("BTCUSDT", "BNBUSDT")), ("usdm", ("BTCUSDT",))):
        for name in names:
            exchange.list_generated(name, None, seed=1, pace=1.0, market=market)
    bank = Bank(exchange)
    give_past(bank, opens_demo=True)
    [account] = bank.accounts.values()
    past = exchange.symbols["BTCUSDT"].tape.before
    assert past is not None
    stops = [order for order in account.orders.values() if order.type == "STOP_LOSS_LIMIT"]
    assert {order.status for order in stops} == {"FILLED", "CANCELED"}
    assert all(order.executed == order.quantity for order in stops if order.status == "FILLED")
    bought = [
        order
        for order in account.orders.values()
        if order.is_buy and order.symbol == "BTCUSDT" and order.market == "spot"
    ]
    flows = [past.flow((o.time - 300_000) * 1000, o.time * 1000) for o in bought[::3]]  # type: ignore[attr-defined]
    with_it = sum(flow > 0 for flow in flows)
    assert 0.5 * len(flows) < with_it < 0.9 * len(flows)
