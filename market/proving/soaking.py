"""A day of the simulator's market in an hour: hurry it, collect it, and prove every sum."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings

from market.hot.client import hot_client
from market.models import Instrument
from market.proving.bars import differing
from market.selectors import reading

# So many seconds are compared at once; whole minutes.
PART = 600
ASKING_SECONDS = 60
LOOK_SECONDS = 2.0
# Bars so long before the newest are written for good.
SPARE_SECONDS = 5
# So long the tape may be behind when the market runs at its usual pace again.
SETTLING_SECONDS = 300
MOST_TOLD = 20


class NoSimulator(Exception):
    """There is none, or it does not answer."""


class Interrupted(Exception):
    """Somebody stopped it; the market has its usual pace again."""


@dataclass
class Soak:
    """What was seen: exact counts, lag in ms, memory of Redis in bytes."""

    start: int
    end: int = 0
    # all before is compared, epoch s
    proven: int = 0
    trades: int = 0
    bars: int = 0
    worst_lag: int = 0
    memory: tuple[int, int] = (0, 0)
    wrong: list[str] = field(default_factory=list)
    open_gaps: int = 0

    @property
    def is_well(self) -> bool:
        return self.bars > 0 and not self.wrong and not self.open_gaps


def run(
    seconds: float, pace: float, tell: Callable[[str, float], None], is_to_stop: Callable[[], bool]
) -> Soak:
    """Run the market at `pace` for so long, and compare every second and minute of every followed
    tape, what is whole while it goes on. `tell(what, share)` hears how far it is. Raises
    NoSimulator and Interrupted; the market has its usual pace again whatever happens."""
    tapes = list(Instrument.objects.filter(venue=settings.VENUE, is_followed=True).order_by("pk"))
    if not tapes:
        raise NoSimulator("expected a followed market, there is none")
    now = _ask("/simulator/status")["now"] // 1000
    soak = Soak(start=now + 1, proven=now + 1)
    before = _memory()
    _ask("/simulator/pace", {"times": pace})
    try:
        _watch(soak, tapes, seconds, tell, is_to_stop)
    finally:
        _ask("/simulator/pace", {"times": 1})
    soak.end = _ask("/simulator/status")["now"] // 1000
    _settle(soak, tapes, tell, is_to_stop)
    soak.memory = before, _memory()
    _prove(soak, tapes, tell, is_to_stop)
    return soak


def _watch(
    soak: Soak,
    tapes: list[Instrument],
    seconds: float,
    tell: Callable[[str, float], None],
    is_to_stop: Callable[[], bool],
) -> None:
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        if is_to_stop():
            raise Interrupted
        lag = _lag(tapes)
        soak.worst_lag = max(soak.worst_lag, lag)
        tell(f"collecting, {lag} ms behind", passed / seconds)
        _prove_ready(soak, tapes)
        time.sleep(min(LOOK_SECONDS, seconds - passed))


def _settle(
    soak: Soak,
    tapes: list[Instrument],
    tell: Callable[[str, float], None],
    is_to_stop: Callable[[], bool],
) -> None:
    """Until everything of the stretch is covered and its gaps are filled, as far as they can be."""
    until = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < until:
        if is_to_stop():
            raise Interrupted
        soak.open_gaps = sum(_open_gaps(tape, soak.start, soak.end) for tape in tapes)
        if not soak.open_gaps and min(map(_covered_to, tapes)) >= soak.end * 1000:
            return
        tell(f"settling, {soak.open_gaps} gaps open", 1.0)
        time.sleep(LOOK_SECONDS)


def _prove_ready(soak: Soak, tapes: list[Instrument]) -> None:
    """What is whole is compared at once: the simulator forgets its oldest trades."""
    start, end = next(_parts(soak.proven, soak.proven + PART))
    is_covered = all(_covered_to(tape) >= (end + SPARE_SECONDS) * 1000 for tape in tapes)
    if not is_covered or any(_open_gaps(tape, start, end) for tape in tapes):
        return
    for tape in tapes:
        _prove_part(soak, tape, start, end)
    soak.proven = end


def _prove(
    soak: Soak,
    tapes: list[Instrument],
    tell: Callable[[str, float], None],
    is_to_stop: Callable[[], bool],
) -> None:
    parts = list(_parts(soak.proven, soak.end))
    for number, (start, end) in enumerate(parts):
        if is_to_stop():
            raise Interrupted
        for tape in tapes:
            _prove_part(soak, tape, start, end)
        tell(f"comparing, {len(soak.wrong)} wrong", (number + 1) / len(parts))


def _prove_part(soak: Soak, tape: Instrument, start: int, end: int) -> None:
    """Every second, and every minute that lies in it."""
    minutes = -(-start // 60) * 60, end // 60 * 60
    for interval, seconds, (first, last) in (("1s", 1, (start, end)), ("1m", 60, minutes)):
        if first >= last:
            continue
        question = {
            "symbol": tape.symbol,
            "market": tape.market,
            "start": first * 1000,
            "end": last * 1000,
            "seconds": seconds,
        }
        told = _ask(f"/simulator/truth?{urlencode(question)}")
        truth = {int(at) // 1000: sums for at, sums in told.items()}
        span = reading.read_span(tape, interval, first * 1000, last * 1000)
        soak.bars += len(truth)
        soak.trades += sum(sums["trades"] for sums in truth.values()) if seconds == 1 else 0
        for at, what in differing(truth, {bar.time: bar for bar in span.bars}):
            if len(soak.wrong) < MOST_TOLD:
                soak.wrong.append(f"{tape.key} {interval} {at}: {what}")


def _parts(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut at whole minutes."""
    while start < end:
        cut = min(start // PART * PART + PART, end)
        yield start, cut
        start = cut


def _lag(tapes: list[Instrument]) -> int:
    """Of the tape that is furthest behind; one that has not begun is not behind."""
    now = int(_ask("/simulator/status")["now"])
    return max(0, *(now - covered for covered in map(_covered_to, tapes) if covered))


def _covered_to(tape: Instrument) -> int:
    """Epoch ms; 0 before the tape begins."""
    state = reading.read_hot(tape.key, "1m", 0, 0)[0]
    return 0 if state is None else state.covered_to


def _open_gaps(tape: Instrument, start: int, end: int) -> int:
    start, end = start // 60 * 60, -(-end // 60) * 60
    span = reading.read_span(tape, "1m", start * 1000, end * 1000)
    return sum(gap.state == "open" for gap in span.gaps)


def _memory() -> int:
    info: Any = hot_client().info("memory")
    return int(info["used_memory"])


def _ask(path: str, body: dict[str, Any] | None = None) -> Any:
    """JSON of the simulator's own door; a body is posted."""
    url = f"{settings.BINANCE_SPOT_API_URL}{path}"
    sent = None if body is None else json.dumps(body).encode()
    request = Request(url, data=sent, headers={"Content-Type": "application/json"})  # noqa: S310
    try:
        with urlopen(request, timeout=ASKING_SECONDS) as answer:  # noqa: S310  (our own setting)
            return json.load(answer)
    except (URLError, TimeoutError, ValueError) as error:
        raise NoSimulator(
            f"expected a simulator at {settings.BINANCE_SPOT_API_URL}: {error}"
        ) from error
