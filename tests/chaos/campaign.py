"""Break everything, several times, then compare every bar with the exchange's truth.

  make chaos MINUTES=10

Fails on a wrong or missing bar, on a fillable gap that stays open, and goes on until every kind of
fault has struck often enough.
"""

import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import redis

from market.archive import seconds as archive
from market.hot import keys
from market.hot.client import hot_client
from market.hot.codec import decode_gap
from market.instruments import InstrumentKey
from market.models import Gap, Instrument
from market.proving.bars import differing
from market.selectors.reading import read_hot
from tests.chaos.faults import Fault, faults
from tests.chaos.system import System
from tests.waiting import comes_true

# Covered up to so many ms behind the exchange: recovered.
RECOVERED_MS = 6_000


@dataclass
class Report:
    faults: Counter[str] = field(default_factory=Counter)
    recovered: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    trades: int = 0
    bars: int = 0
    wrong: list[str] = field(default_factory=list)
    open_gaps: int = 0
    seconds: float = 0.0

    def text(self) -> str:
        lines = [f"{'fault':24}{'times':>6}{'median s':>10}{'worst s':>9}"]
        for kind, times in sorted(self.faults.items()):
            took = self.recovered.get(kind, [])
            figures = (
                f"{statistics.median(took):10.1f}{max(took):9.1f}" if took else f"{'-':>10}{'-':>9}"
            )
            lines.append(f"{kind:24}{times:6}{figures}")
        rate = self.trades / self.seconds if self.seconds else 0
        lines.append(
            f"{self.trades} trades ({rate:.0f} a second), {self.bars} bars compared in both units "
            f"and both stores, {len(self.wrong)} wrong, {self.open_gaps} gaps left open"
        )
        return "\n".join([*lines, *self.wrong[:20]])


class Campaign:
    """`minutes` of faults, each kind at least `times`, after and before a quiet spell."""

    def __init__(
        self,
        system: System,
        minutes: float,
        times: int,
        seed: int,
        kinds: str = "",
        settle: float = 180.0,
    ) -> None:
        self.system = system
        self.seconds = minutes * 60
        self.times = times
        self.rng = random.Random(seed)
        self.report = Report()
        self.settle_seconds = settle
        wanted = [word for word in kinds.split(",") if word]
        self.faults = [
            fault
            for fault in faults(is_short=minutes <= 2)
            if not wanted or any(word in fault.kind for word in wanted)
        ]
        # (kind, when it was over): waiting to be recovered
        self._pending: list[tuple[str, float]] = []

    def run(self) -> Report:
        began = time.monotonic()
        self._wait(lambda: self._lag_ms() < RECOVERED_MS, 60, "the collectors to begin")
        while time.monotonic() - began < self.seconds or self._missing():
            round_ = list(self.faults)
            self.rng.shuffle(round_)
            for fault in round_:
                if (
                    time.monotonic() - began > self.seconds
                    and self.report.faults[fault.kind] >= self.times
                ):
                    continue
                self._strike(fault)
        self.report.seconds = time.monotonic() - began
        self._settle()
        self._compare()
        return self.report

    def _missing(self) -> bool:
        return any(self.report.faults[fault.kind] < self.times for fault in self.faults)

    def _strike(self, fault: Fault) -> None:
        self._say(f"{sum(self.report.faults.values()):4} {fault.kind}")
        fault.strike(self.system, fault.seconds)
        self.report.faults[fault.kind] += 1
        self._pending.append((fault.kind, time.time()))
        pause = time.monotonic() + self.rng.uniform(0.2, 2.0)
        while time.monotonic() < pause:
            self._look_for_recovery()
            time.sleep(0.1)

    def _look_for_recovery(self) -> None:
        """A fault is recovered from when every tape is covered beyond its end."""
        if not self._pending:
            return
        now = time.time()
        covered = now - self._lag_ms() / 1000
        for kind, over in list(self._pending):
            if covered > over:
                self.report.recovered[kind].append(now - over)
                self._pending.remove((kind, over))

    # --- what is known of the tapes -------------------------------------------------------------

    def _lag_ms(self) -> float:
        """How far the tape that is farthest behind is covered, by the exchange's time."""
        try:
            covered = [
                int(
                    hot_client().hget(  # type: ignore[arg-type]
                        keys.state(InstrumentKey("simulator", "spot", symbol)), "covered_to"
                    )
                    or 0
                )
                for symbol in self.system.symbols
            ]
        except (redis.RedisError, OSError):
            return float("inf")
        return time.time() * 1000 - min(covered)

    def _settle(self) -> None:
        """No more faults; wait until the tapes are whole, then let the market stand still."""
        self._say("settling")
        self._wait(self._is_whole, self.settle_seconds, "the gaps to be filled")
        self._look_for_recovery()
        self._say("the market stands still")
        self.system.inject("halt")
        time.sleep(2)
        self._wait(self._has_everything, self.settle_seconds, "the last trades")
        time.sleep(6)  # the last bars reach PostgreSQL

    def _is_whole(self) -> bool:
        self._look_for_recovery()
        return self._lag_ms() < RECOVERED_MS and not self._open_gaps()

    def _open_gaps(self) -> int:
        found = Gap.objects.filter(state="open").count()
        for instrument in Instrument.objects.filter(is_followed=True):
            texts: Any = hot_client().hvals(keys.gaps(instrument.key))
            found += sum(decode_gap(text).state == "open" for text in texts)
        return found

    def _has_everything(self) -> bool:
        status = self.system.ask("/simulator/status")["symbols"]
        for symbol in self.system.symbols:
            key = keys.state(InstrumentKey("simulator", "spot", symbol))
            last_id: Any = hot_client().hget(key, "last_id")
            if int(last_id or 0) < status[f"spot:{symbol}"]["last_id"]:
                return False
        return not self._open_gaps()

    def _compare(self) -> None:
        self._say("comparing")
        self.report.open_gaps = self._open_gaps()
        for instrument in Instrument.objects.filter(is_followed=True):
            self._compare_tape(instrument)

    def _compare_tape(self, instrument: Any) -> None:
        state = archive.load_state(instrument.pk)
        if state is None:
            self.report.wrong.append(f"{instrument.symbol}: PostgreSQL does not know the tape")
            return
        start = state.covered_from // 1000 + 1
        saved = archive.load(instrument.pk, start, 2**33)
        hot, hot_minutes = _hot(instrument, "1s"), _hot(instrument, "1m")
        hot_from = max(start, min(hot, default=2**40) + 60)  # Redis was wiped since
        truth = self._truth(instrument.symbol, start, 1)
        self.report.trades += sum(sums["trades"] for sums in truth.values())
        self._check(f"{instrument.symbol} in PostgreSQL", truth, saved)
        self._check(
            f"{instrument.symbol} in Redis",
            {at: sums for at, sums in truth.items() if at >= hot_from},
            hot,
        )
        minute = -(-hot_from // 60) * 60
        self._check(
            f"{instrument.symbol} minutes in Redis",
            self._truth(instrument.symbol, minute, 60),
            hot_minutes,
        )

    def _truth(self, symbol: str, start: int, seconds: int) -> dict[int, Any]:
        path = f"/simulator/truth?symbol={symbol}&start={start * 1000}&seconds={seconds}"
        return {int(at) // 1000: sums for at, sums in self.system.ask(path).items()}

    def _check(self, where: str, truth: dict[int, Any], bars: dict[int, Any]) -> None:
        self.report.bars += len(truth)
        self.report.wrong += [f"{where} {at}: {what}" for at, what in differing(truth, bars)]

    def _wait(self, claim: Any, seconds: float, what: str) -> None:
        if not comes_true(claim, seconds):
            self.report.wrong.append(f"not within {seconds:.0f} s: {what}")

    def _say(self, text: str) -> None:
        sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
        sys.stdout.flush()


def _hot(instrument: Any, grain: str) -> dict[int, Any]:
    return read_hot(instrument.key, grain, 0, 2**33)[1]
