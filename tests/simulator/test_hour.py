"""An hour of a generated market, walked frame by frame: everything agrees to the last digit."""

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from simulator.channels.books import level_texts
from simulator.exchange import Exchange
from simulator.faults import Faults

START_US = 1_750_000_000_000_000
STEP_US = 100_000
STEPS = 36_000
STREAMS = {
    "spot": (
        "trade",
        "aggTrade",
        "kline_1m",
        "kline_1s",
        "kline_1h@+08:00",
        "bookTicker",
        "depth@100ms",
        "depth",
        "depth5@100ms",
        "ticker",
        "miniTicker",
        "ticker_1h",
        "avgPrice",
    ),
    "usdm": (
        "trade",
        "aggTrade",
        "kline_1m",
        "bookTicker",
        "depth@0ms",
        "depth@500ms",
        "depth20",
        "ticker",
        "markPrice@1s",
    ),
}


class Clock:
    now = START_US

    def __call__(self) -> int:
        return self.now


class Ear:
    """Keeps every frame of every stream, in order."""

    scale = 1000

    def __init__(self) -> None:
        self.frames: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.order: list[tuple[str, int]] = []
        self.snapshot: dict[str, Any] = {}

    def push(self, stream: str, payload: str) -> None:
        kind = stream.partition("@")[2]
        if kind in {"trade", "bookTicker"} or kind.startswith("depth"):
            self.order.append((kind, len(self.frames[kind])))
        self.frames[kind].append(json.loads(payload))


@pytest.fixture(scope="module", params=["spot", "usdm"])
def hour(request: pytest.FixtureRequest) -> tuple[str, Ear]:
    clock, ear = Clock(), Ear()
    exchange = Exchange(Faults(), clock=clock)
    exchange.list_generated("ETHUSDT", None, seed=11, pace=0.25, market=request.param)
    for kind in STREAMS[request.param]:
        exchange.markets[request.param].audience.listen(f"ethusdt@{kind}", ear)
    symbol = exchange.markets[request.param].listed["ETHUSDT"].symbol
    book = symbol.source.book
    ear.snapshot = {  # as REST answers `depth`
        "u": book.update_id,
        "b": level_texts(symbol, book.top_bids(5000)),
        "a": level_texts(symbol, book.top_asks(5000)),
    }
    for _ in range(STEPS):
        clock.now += STEP_US
        exchange.advance()
    return request.param, ear


def values(trade: dict[str, Any]) -> tuple[Decimal, Decimal]:
    return Decimal(trade["p"]), Decimal(trade["q"])


def trades_of(ear: Ear) -> list[dict[str, Any]]:
    trades = ear.frames["trade"]
    assert [t["t"] for t in trades] == list(range(trades[0]["t"], trades[0]["t"] + len(trades)))
    assert len(trades) > 10_000
    return trades


def market_trades(ear: Ear) -> list[dict[str, Any]]:
    """Without the insurance fund's rows: candles and tickers do not count them."""
    return [t for t in trades_of(ear) if t.get("X", "MARKET") == "MARKET"]


def test_aggregates_are_their_trades(hour: tuple[str, Ear]) -> None:
    market, ear = hour
    trades = {t["t"]: t for t in trades_of(ear)}
    aggregates = ear.frames["aggTrade"]
    assert [a["a"] for a in aggregates] == list(range(1, len(aggregates) + 1))
    covered = []
    for item in aggregates:
        parts = [trades[i] for i in range(item["f"], item["l"] + 1)]
        covered += [part["t"] for part in parts]
        assert Decimal(item["q"]) == sum(Decimal(part["q"]) for part in parts)
        assert {(part["p"], part["m"]) for part in parts} == {(item["p"], item["m"])}
        assert item["T"] == parts[0]["T"]
        if market == "spot":
            assert {part["T"] for part in parts} == {item["T"]}
    others = [t["t"] for t in trades.values() if t.get("X", "MARKET") != "MARKET"]
    wanted = [i for i in trades if i <= covered[-1] and i not in others]
    assert covered == wanted
    assert bool(others) == (market == "usdm")  # insurance fund rows are in no aggregate


def sums(parts: list[dict[str, Any]]) -> dict[str, Decimal]:
    bought = [values(t) for t in parts if not t["m"]]
    return {
        "v": sum((values(t)[1] for t in parts), Decimal(0)),
        "V": sum((quantity for _, quantity in bought), Decimal(0)),
        "q": _cut(sum((p * q for p, q in map(values, parts)), Decimal(0))),
        "Q": _cut(sum((p * q for p, q in bought), Decimal(0))),
    }


def _cut(value: Decimal) -> Decimal:
    return Decimal(int(value * 10**8)) / 10**8


@pytest.mark.parametrize("kind", ["kline_1m", "kline_1s", "kline_1h@+08:00"])
def test_candles_are_the_sum_of_their_trades(hour: tuple[str, Ear], kind: str) -> None:
    market, ear = hour
    if kind not in STREAMS[market]:
        return
    by_open: dict[int, list[dict[str, Any]]] = defaultdict(list)
    length = {"kline_1m": 60_000, "kline_1s": 1000}.get(kind, 3_600_000)
    for trade in market_trades(ear):
        by_open[trade["T"] // length * length].append(trade)
    closed = [frame["k"] for frame in ear.frames[kind] if frame["k"]["x"]]
    opens = [k["t"] for k in closed]
    assert opens == list(range(opens[0], opens[0] + len(opens) * length, length))
    close = None
    for k in closed:
        parts = by_open[k["t"]]
        assert k["T"] == k["t"] + length - 1
        assert k["n"] == len(parts)
        if parts:
            prices = [values(t)[0] for t in parts]
            assert (k["f"], k["L"]) == (parts[0]["t"], parts[-1]["t"])
            assert [Decimal(k[x]) for x in "ohlc"] == [
                prices[0],
                max(prices),
                min(prices),
                prices[-1],
            ]
        else:
            assert (k["f"], k["L"], {k[x] for x in "ohlc"}) == (-1, -1, {close})
        assert {name: Decimal(k[name]) for name in "vVqQ"} == sums(parts)
        close = k["c"]


def test_the_book_chains_fits_and_never_crosses(hour: tuple[str, Ear]) -> None:
    market, ear = hour
    fast = "depth@100ms" if market == "spot" else "depth@0ms"
    for kind in (fast, "depth" if market == "spot" else "depth@500ms"):
        book = Replica(ear.snapshot)
        for event in ear.frames[kind]:
            if market == "spot":
                assert event["U"] == book.update_id + 1
            else:
                assert event["pu"] == book.update_id
            book.apply(event)
            assert max(book.bids) < min(book.asks)


def test_best_prices_are_the_top_of_the_book(hour: tuple[str, Ear]) -> None:
    """A partial book and bookTicker say what the changes add up to, at the same update."""
    market, ear = hour
    fast = "depth@100ms" if market == "spot" else "depth@0ms"
    partial = "depth5@100ms" if market == "spot" else "depth20"
    book, compared = Replica(ear.snapshot), 0
    for kind, position in ear.order:
        frame = ear.frames[kind][position]
        if kind == fast:
            book.apply(frame)
        elif kind == partial and frame.get("lastUpdateId", frame.get("u")) == book.update_id:
            compared += 1
            bids, asks = (
                frame[long] if long in frame else frame[long[0]] for long in ("bids", "asks")
            )
            assert bids == book.top(book.bids, len(bids), reverse=True)
            assert asks == book.top(book.asks, len(asks), reverse=False)
    assert compared > 1000


def test_trades_happen_at_the_best_price_and_no_ticker_crosses(hour: tuple[str, Ear]) -> None:
    """A taker order begins at the best price that bookTicker named before it."""
    _, ear = hour
    best: dict[str, Any] | None = None
    checked, previous = 0, None
    for kind, position in ear.order:
        frame = ear.frames[kind][position]
        if kind == "bookTicker":
            assert Decimal(frame["b"]) < Decimal(frame["a"])
            best = frame
        elif kind == "trade":
            is_new_order = previous is None or previous["T"] != frame["T"]
            if best is not None and is_new_order and frame.get("X", "MARKET") == "MARKET":
                assert frame["p"] == (best["b"] if frame["m"] else best["a"])
                checked += 1
            previous = frame
    assert checked > 5000


@pytest.mark.parametrize("kind", ["ticker", "ticker_1h"])
def test_tickers_are_the_sum_of_their_window(hour: tuple[str, Ear], kind: str) -> None:
    market, ear = hour
    if kind not in STREAMS[market]:
        return
    trades = {t["t"]: t for t in market_trades(ear)}
    for frame in ear.frames[kind][600::600]:
        parts = [trades[i] for i in range(frame["F"], frame["L"] + 1) if i in trades]
        prices = [values(t)[0] for t in parts]
        total = sums(parts)
        assert frame["n"] == len(parts)
        assert (Decimal(frame["v"]), Decimal(frame["q"])) == (total["v"], total["q"])
        assert Decimal(frame["o"]) == prices[0]
        assert Decimal(frame["c"]) == prices[-1]
        assert (Decimal(frame["h"]), Decimal(frame["l"])) == (max(prices), min(prices))
        assert Decimal(frame["p"]) == prices[-1] - prices[0]


def test_mark_prices_stay_near_and_funding_is_due_every_eight_hours(hour: tuple[str, Ear]) -> None:
    market, ear = hour
    for frame in ear.frames["markPrice@1s"]:
        assert frame["T"] % (8 * 3600 * 1000) == 0
        assert abs(Decimal(frame["p"]) / Decimal(frame["i"]) - 1) < Decimal("0.01")
    assert bool(ear.frames["markPrice@1s"]) == (market == "usdm")


class Replica:
    """A book as a client keeps it, from a snapshot and the changes after it."""

    def __init__(self, snapshot: dict[str, Any]) -> None:
        self.bids: dict[Decimal, list[str]] = {}
        self.asks: dict[Decimal, list[str]] = {}
        self.apply(snapshot)

    def apply(self, event: dict[str, Any]) -> None:
        for side, rows in ((self.bids, event["b"]), (self.asks, event["a"])):
            for price, size in rows:
                if Decimal(size):
                    side[Decimal(price)] = [price, size]
                else:
                    side.pop(Decimal(price), None)
        self.update_id = event["u"]

    def top(self, side: dict[Decimal, list[str]], count: int, *, reverse: bool) -> list[list[str]]:
        return [side[price] for price in sorted(side, reverse=reverse)[:count]]
