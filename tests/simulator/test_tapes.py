"""Recordings as tapes: captures keep their frames, archives their rows, a loop goes on."""

import json
import zipfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from simulator import tape as tape_module
from simulator.__main__ import make_exchange, parser
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.sources.capture import read
from simulator.sources.replay import Replayed
from simulator.tape import Row, Tape
from simulator.windows import Window
from tests import captures

SPOT = "spot_btcusdt_20240808.gz"
USDM = "usdm_btcusdt_20230404.gz"


class Ear:
    scale = 1000

    def __init__(self) -> None:
        self.frames: dict[str, list[dict[str, Any]]] = defaultdict(list)

    def push(self, stream: str, payload: str) -> None:
        self.frames[stream.partition("@")[2]].append(json.loads(payload))


def make(*words: str) -> Exchange:
    return make_exchange(parser().parse_args(["--symbols", "", "--speed", "0", *words]))


def play(exchange: Exchange, market: str, *kinds: str, rounds: int = 1) -> Ear:
    ear = Ear()
    for kind in kinds:
        exchange.markets[market].audience.listen(f"btcusdt@{kind}", ear)
    [symbol] = exchange.markets[market].symbols
    source = symbol.source
    assert isinstance(source, Replayed)
    while not source.is_ended and source.round < rounds:
        exchange.advance()
    exchange.advance()
    return ear


def recorded(name: str, kind: str) -> list[dict[str, Any]]:
    return [f.payload for f in read(captures.need(name)) if f.stream.endswith(f"@{kind}")]


def test_a_spot_capture_is_told_as_it_was_recorded() -> None:
    exchange = make("--tape", f"BTCUSDT={captures.need(SPOT)}")
    ear = play(exchange, "spot", "trade", "bookTicker", "depth@100ms")
    assert ear.frames["bookTicker"] == recorded(SPOT, "bookTicker")
    for kind in ("trade", "depth@100ms"):
        told, wanted = ear.frames[kind], recorded(SPOT, kind)
        shift = told[0]["E"] - wanted[0]["E"]
        assert shift % 60_000 == 0
        times = {"E": shift, "T": shift}
        assert told == [
            {k: v + times.get(k, 0) if k in times else v for k, v in f.items()} for f in wanted
        ]


def test_a_captured_book_ends_where_the_recorded_best_prices_do() -> None:
    exchange = make("--tape", f"BTCUSDT={captures.need(SPOT)}")
    play(exchange, "spot")
    book = exchange.symbols["BTCUSDT"].source.book
    *_, best = (f for f in recorded(SPOT, "bookTicker") if f["u"] <= book.update_id)
    bid, bid_size, ask, ask_size = book.best()
    assert [Decimal(x).scaleb(-8) for x in (bid, bid_size, ask, ask_size)] == [
        Decimal(best[key]) for key in "bBaA"
    ]
    assert book.best_bid < book.best_ask


def test_a_futures_capture_keeps_its_places_kinds_and_chain() -> None:
    exchange = make("--tape", f"usdm:BTCUSDT={captures.need(USDM)}")
    ear = play(exchange, "usdm", "trade", "depth@0ms", "markPrice@1s", "aggTrade")
    assert [(f["t"], f["p"], f["q"], f["X"]) for f in ear.frames["trade"]] == [
        (f["t"], f["p"], f["q"], f["X"]) for f in recorded(USDM, "trade")
    ]
    assert [(f["U"], f["u"], f["pu"], f["b"], f["a"]) for f in ear.frames["depth@0ms"]] == [
        (f["U"], f["u"], f["pu"], f["b"], f["a"]) for f in recorded(USDM, "depth@0ms")
    ]
    bought = sum(Decimal(f["p"]) * Decimal(f["q"]) for f in ear.frames["aggTrade"] if not f["m"])
    golden = Decimal(captures.golden(USDM)["quote_buy"])
    waiting = sum(
        Decimal(t.price * t.quantity).scaleb(-16)
        for t in exchange.markets["usdm"]
        .listed["BTCUSDT"]
        .symbol.tape.between(ear.frames["aggTrade"][-1]["l"] + 1, 2**62)
        if not t.is_buyer_maker
    )
    assert bought + waiting == golden


def test_a_loop_goes_on_with_ids_times_and_the_book() -> None:
    exchange = make("--loop", "--tape", f"BTCUSDT={captures.need(SPOT)}")
    ear = play(exchange, "spot", "trade", "depth@100ms", rounds=2)
    trades, changes = ear.frames["trade"], ear.frames["depth@100ms"]
    assert len(trades) > 2 * 9757
    assert [t["t"] for t in trades] == list(range(trades[0]["t"], trades[0]["t"] + len(trades)))
    assert [t["T"] for t in trades] == sorted(t["T"] for t in trades)
    for before, after in zip(changes, changes[1:], strict=False):
        assert after["U"] == before["u"] + 1
    book = exchange.symbols["BTCUSDT"].source.book
    assert book.best_bid < book.best_ask


SPOT_ROWS = [
    "100,61000.50000000,0.00100000,61.00050000,1762000000000000,False,True",
    "101,61000.50000000,0.00200000,122.00100000,1762000000000000,False,True",
    "104,61000.40000000,0.50000000,30500.20000000,1762000060000001,True,True",
]
USDM_ROWS = [
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
    "7,61000.5,0.003,100,102,1762000000000,false",
    "8,61000.4,0.500,105,105,1762000060000,true",
]


def archive(folder: Path, name: str, rows: list[str]) -> Path:
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr(f"{name}.csv", "\n".join(rows) + "\n")
    return path


def test_a_spot_archive_is_played_with_its_ids_and_holes(tmp_path: Path) -> None:
    path = archive(tmp_path, "BTCUSDT-trades-2025-11-01", SPOT_ROWS)
    exchange = make("--tape", f"BTCUSDT={path}")
    ear = play(exchange, "spot", "trade", "bookTicker")
    assert [(t["t"], t["p"], t["m"]) for t in ear.frames["trade"]] == [
        (100, "61000.50000000", False),
        (101, "61000.50000000", False),
        (104, "61000.40000000", True),
    ]
    assert ear.frames["bookTicker"][-1]["b"] == "61000.40000000"  # a book made up around it
    assert [t.id for t in exchange.symbols["BTCUSDT"].tape.between(0, 999)] == [100, 101, 104]


def test_a_plain_csv_works_too_and_a_futures_archive_of_aggregates(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-aggTrades-2025-11.csv"
    path.write_text("\n".join(USDM_ROWS))
    exchange = make("--tape", f"usdm:BTCUSDT={path}")
    play(exchange, "usdm")
    tape = exchange.markets["usdm"].listed["BTCUSDT"].symbol.tape
    found = list(tape.aggregates(0, 999))
    assert [(a.id, a.quantity, a.time) for a in found][0][:2] == (7, 300_000)
    assert [a.id for a in found] == [7, 8]
    assert found[1].time - found[0].time == 60_000_000


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.zip", b"no zip at all", "expected a zip with one CSV file"),
        ("x.csv", b"", "expected rows of trades, found none"),
        ("x.csv", b"1,2,3\n", "line 1: expected a row of trades"),
        ("x.csv", "\n".join(USDM_ROWS).encode(), "expected single trades, found aggregates"),
        ("x.cap", b'1723161253937085768 {"stream":"a@trade"', "line 1: expected `<time> <frame>`"),
        (
            "x.cap",
            b'1723161253937085768 {"stream":"ethusdt@trade","data":{}}\n',
            "expected @trade frames of BTCUSDT",
        ),
    ],
)
def test_a_file_that_cannot_be_played_is_a_sentence(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        make("--tape", f"BTCUSDT={path}")


def test_a_recording_that_breaks_off_ends_there_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{i},5.0,1.0,5.0,{1762000000000000 + i},True,True" for i in range(1, 5_200)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join([*rows, "5200,half a"]))
    exchange = make("--tape", f"BTCUSDT={path}")
    play(exchange, "spot")
    assert exchange.symbols["BTCUSDT"].tape.last_id == 5199
    assert "line 5200: expected a row of trades; the replay ends here" in capsys.readouterr().err


def test_a_capture_of_aggregates_alone_is_a_futures_tape(tmp_path: Path) -> None:
    def frame(agg_id: int, first: int, last: int) -> str:
        data = {
            "e": "aggTrade",
            "E": 1700000000000 + agg_id,
            "s": "BTCUSDT",
            "a": agg_id,
            "p": "100.1",
            "q": "0.5",
            "f": first,
            "l": last,
            "T": 1700000000000 + agg_id,
            "m": False,
        }
        return f"{1700000000000 + agg_id} " + json.dumps(
            {"stream": "btcusdt@aggTrade", "data": data}
        )

    path = tmp_path / "agg.txt"
    path.write_text("\n".join([frame(7, 100, 102), frame(8, 103, 103), frame(9, 110, 111)]))
    exchange = make("--tape", f"usdm:BTCUSDT={path}")
    play(exchange, "usdm")
    symbol = exchange.markets["usdm"].listed["BTCUSDT"].symbol
    found = list(symbol.tape.aggregates(0, 999))
    assert [(a.id, a.quantity) for a in found] == [
        (7, 50_000_000),
        (8, 50_000_000),
        (9, 50_000_000),
    ]
    assert (symbol.tape.first_id, symbol.tape.last_id) == (100, 111)
    assert symbol.rules.price_text(symbol.rules.tick) == "0.1"
    looped = make("--loop", "--tape", f"usdm:BTCUSDT={path}")
    play(looped, "usdm", rounds=2)
    tape = looped.markets["usdm"].listed["BTCUSDT"].symbol.tape
    ids = [a.id for a in tape.aggregates(0, 9999)]
    assert ids == list(range(7, 7 + len(ids)))
    assert len(ids) >= 6


def test_an_order_in_a_market_that_is_behind_trades_at_the_markets_time() -> None:
    now = [1_700_000_000_000_000]
    exchange = Exchange(Faults(), clock=lambda: now[0])
    exchange.list_generated("BTCUSDT", None, seed=3, pace=5.0)
    for _ in range(20):
        now[0] += 50_000
        exchange.advance()
    listed = exchange.markets["spot"].listed["BTCUSDT"]
    now[0] += 30_000_000  # nobody has looked for half a minute
    (mine, *_) = listed.take(True, 100_000, 0, now[0])
    for _ in range(400):
        exchange.advance()
    tape = listed.symbol.tape
    times = [trade.time for trade in tape.between(tape.first_id, tape.last_id)]
    assert times[-1] > mine.time
    assert times == sorted(times)


def test_what_is_remembered_of_a_long_tape_begins_with_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tape_module, "REMEMBERED", 100)
    tape = Tape("X", first_id=1)
    for number in range(250):  # one each second, from the tenth of a minute on
        tape.append([Row(100, 10, (610 + number) * 1_000_000, True)])
    first = tape.at(tape.first_id)
    assert first.time % 60_000_000 == 0
    # with the 201st, at 810 s, the newest 100 began at 711 s
    assert first.time == 720_000_000
    assert len(tape) == 140


def test_a_window_survives_forgetting_and_a_wipe() -> None:
    tape = Tape("X", first_id=1)
    tape.append([Row(100 + i, 10, i * 1_000_000, True) for i in range(100)])
    window = Window(tape, 50_000_000)

    def check(now: int) -> None:
        found = window.roll(now)
        parts = [t for t in tape.between(0, 2**62) if now - 50_000_000 <= t.time]
        assert (found is None) == (not parts)
        if found is not None:
            prices = [t.price for t in parts]
            assert (found.first, found.last, found.trades) == (parts[0], parts[-1], len(parts))
            assert (found.low, found.high) == (min(prices), max(prices))
            assert found.base == 10 * len(parts)

    check(99_000_000)
    tape.forget(20)
    check(100_000_000)
    tape.wipe(5)
    check(101_000_000)
    tape.append([Row(7, 10, 101_500_000, False)])
    tape.skip(3)
    check(102_000_000)
    check(300_000_000)
