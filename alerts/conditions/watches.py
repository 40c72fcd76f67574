"""A market's alerts over its bars: the same code live, after a restart, and in a preview."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

from alerts.conditions.series import Points, Sums
from alerts.conditions.states import Level, State, Step, Threshold
from lib.decimals import PLACES, QUOTE_PLACES, scaled
from market.flow.bands import BANDS, BandSet
from market.flow.bars import Bar

# Shares and percentages are told to so many places.
RATIO_PLACES = 6
# How far a value has to go back, in percent of the threshold, where the alert does not say it.
LEVEL_MARGIN_PCT, MARGIN_PCT = "0.05", "5"
LONGEST_WINDOW_S = 86_400


@dataclass(frozen=True)
class Rule:
    """One alert as its owner made it. `limit` is what a quantile stands at, or a setup asks for."""

    alert_id: int
    condition: Mapping[str, Any]
    cooldown_ms: int
    limit: int | None = None
    setup: Mapping[str, str] | None = None


class Watch(Protocol):
    """Something that looks at each second; `places` is the scale of its values."""

    places: int

    def value(self, tape: "Tape", now: int) -> int | None: ...


class Tape:
    """What is known of one market: prices, running sums of what alerts ask for, up to `clock`."""

    def __init__(self, bands: BandSet, start: int) -> None:
        self.bands = bands
        self.clock = start
        # from when on no trade is missing
        self.start = start
        self.last_price = 0
        self.bid = self.ask = 0
        self.prices = Points(LONGEST_WINDOW_S)
        self.spreads = Points(LONGEST_WINDOW_S)
        self._sums: dict[tuple[str, str, int], Sums] = {}
        self._windows: dict[tuple[tuple[str, str, int], int], int | None] = {}

    def need(self, key: tuple[str, str, int]) -> None:
        """`("delta" | "volume", unit, band or -1)`, before the first bar that it shall hold."""
        self._sums.setdefault(key, Sums(self.clock, LONGEST_WINDOW_S))

    def take(self, bar: Bar | None, end: int) -> None:
        """What happened until `end` (epoch s); no bar: nothing."""
        self.clock = end
        self._windows.clear()
        if bar is None:
            return
        if bar.trades:
            self.last_price = bar.close
            self.prices.add(end, bar.close)
        if bar.bid and bar.ask:
            self.bid, self.ask = bar.bid, bar.ask
            self.spreads.add(end, bar.ask - bar.bid)
        for key, sums in self._sums.items():
            sums.grow(end, amount_of(bar, key))

    def skip(self, end: int) -> None:
        """Nothing is known of the time until `end`: windows begin anew behind it."""
        self.clock = self.start = end
        self._windows.clear()
        self.prices, self.spreads = Points(LONGEST_WINDOW_S), Points(LONGEST_WINDOW_S)
        if self.last_price:
            self.prices.add(end, self.last_price)
        self._sums = {key: Sums(end, LONGEST_WINDOW_S) for key in self._sums}

    def within(self, key: tuple[str, str, int], window: int) -> int | None:
        """The newest sum of a window, looked up once for all alerts that ask."""
        place = key, window
        if place not in self._windows:
            self._windows[place] = self._sums[key].within(self.clock, window)
        return self._windows[place]


def amount_of(bar: Bar, key: tuple[str, str, int]) -> int:
    what, unit, band = key
    if band < 0:
        bought, sold = bar.quote_buy, bar.quote_sell
    else:
        flat = bar.trade if unit == "trade" else bar.order
        bought, sold = flat[band], flat[BANDS + band]
    return bought - sold if what == "delta" else bought + sold


# --- values -------------------------------------------------------------------------------------


class Delta:
    """Bought minus sold by takers within the window, in quote."""

    places = QUOTE_PLACES

    def __init__(self, tape: Tape, condition: Mapping[str, Any]) -> None:
        band = condition.get("band")
        index = -1 if band is None else tape.bands.names.index(band)
        self.key = "delta", str(condition.get("unit", "trade")), index
        self.window = int(condition["window_s"])
        tape.need(self.key)

    def value(self, tape: Tape, now: int) -> int | None:
        return tape.within(self.key, self.window)


class Moved:
    """How far the price is from where it was a window ago, in percent, without sign."""

    places = RATIO_PLACES

    def __init__(self, condition: Mapping[str, Any]) -> None:
        self.window = int(condition["window_s"])

    def value(self, tape: Tape, now: int) -> int | None:
        change = change_of(tape, now, self.window)
        return None if change is None else abs(change)


class Apart:
    """How far the price went against the sign of the window's delta, in percent; 0: not at all."""

    places = RATIO_PLACES

    def __init__(self, tape: Tape, condition: Mapping[str, Any]) -> None:
        self.window = int(condition["window_s"])
        self.key = "delta", "trade", -1
        tape.need(self.key)

    def value(self, tape: Tape, now: int) -> int | None:
        change = change_of(tape, now, self.window)
        delta = tape.within(self.key, self.window)
        if change is None or delta is None:
            return None
        return abs(change) if change * delta < 0 else 0


class Share:
    """Of the takers' volume within the window the part on a setup's side, less the other side's."""

    places = RATIO_PLACES

    def __init__(self, tape: Tape, setup: Mapping[str, str]) -> None:
        self.window = SETUP_WINDOWS.get(setup.get("window", "1m"), 60)
        self.sign = 1 if setup.get("direction") == "LONG" else -1
        self.delta, self.volume = ("delta", "trade", -1), ("volume", "trade", -1)
        tape.need(self.delta)
        tape.need(self.volume)

    def value(self, tape: Tape, now: int) -> int | None:
        delta, volume = tape.within(self.delta, self.window), tape.within(self.volume, self.window)
        if delta is None or not volume:
            return None
        return round(Fraction(self.sign * delta * 10**RATIO_PLACES, volume))


class Spread:
    """Best ask less best bid as last seen, or how much that changed within a window."""

    places = PLACES

    def __init__(self, condition: Mapping[str, Any]) -> None:
        self.window = condition.get("window_s")

    def value(self, tape: Tape, now: int) -> int | None:
        last = tape.spreads.last
        if self.window is None or last is None:
            return last
        before = tape.spreads.at(now - int(self.window))
        return None if before is None else last - before


def change_of(tape: Tape, now: int, window: int) -> int | None:
    """The price's change over a window in percent, scaled; None where it is not known."""
    before = tape.prices.at(now - window)
    if not before or not tape.last_price:
        return None
    return round(Fraction((tape.last_price - before) * 100 * 10**RATIO_PLACES, before))


SETUP_WINDOWS = {"10s": 10, "1m": 60, "5m": 300, "15m": 900}


# --- a market's alerts --------------------------------------------------------------------------


@dataclass
class _Standing:
    rule: Rule
    state: State
    machine: Threshold
    watch: Watch


@dataclass
class _StandingLevel:
    rule: Rule
    state: State
    machine: Level


@dataclass(frozen=True)
class Change:
    """What a bar did to an alert; `value` is exact text of its kind's own measure."""

    alert_id: int
    step: Step
    places: int


class MarketWatch:
    """All alerts of one market that are looked for in its bars."""

    def __init__(self, bands: BandSet, start: int) -> None:
        self.tape = Tape(bands, start)
        self._levels: dict[int, _StandingLevel] = {}
        self._thresholds: dict[int, _Standing] = {}
        # prices strictly between these wake no level
        self._quiet = (0, 0)

    def __len__(self) -> int:
        return len(self._levels) + len(self._thresholds)

    def add(self, rule: Rule, state: State) -> None:
        if rule.condition["kind"] == "price_crosses":
            self._levels[rule.alert_id] = _StandingLevel(rule, state, _level(rule))
            self._quiet = (0, 0)
        else:
            watch, machine = _threshold(self.tape, rule)
            self._thresholds[rule.alert_id] = _Standing(rule, state, machine, watch)

    def drop(self, alert_id: int) -> None:
        self._levels.pop(alert_id, None)
        self._thresholds.pop(alert_id, None)
        self._quiet = (0, 0)

    def feed(self, bar: Bar | None, end: int) -> list[Change]:
        """The time until `end` (epoch s), with its bar if there was one."""
        before = self.tape.last_price
        self.tape.take(bar, end)
        changes: list[Change] = []
        if bar is not None and bar.trades:
            changes += self._cross(bar, before or bar.open, end)
        changes += self._compare(end)
        return changes

    def warm(self, bar: Bar | None, end: int) -> None:
        """The same without looking: what windows that begin later need."""
        self.tape.take(bar, end)

    def peek(self, bar: Bar) -> list[Change]:
        """A bar that is not over: what it shows of a level is so, whatever comes."""
        if not bar.trades:
            return []
        before = self.tape.last_price or bar.open
        changes = self._cross(bar, before, bar.time + 1, is_over=False)
        return [change for change in changes if change.step.is_fired]

    def skip(self, end: int) -> None:
        self.tape.skip(end)

    def _cross(self, bar: Bar, before: int, end: int, *, is_over: bool = True) -> list[Change]:
        low, high = min(before, bar.low), max(before, bar.high)
        if self._quiet[0] < low and high < self._quiet[1]:
            return []
        changes: list[Change] = []
        for standing in self._levels.values():
            # what an alert has seen, or what came before it was made, does not count
            if bar.time * 1000 < standing.state.seen_ms:
                continue
            step = standing.machine.step(
                standing.state, before, bar.high, bar.low, bar.close, bar.time * 1000, end * 1000
            )
            if step is not None and (is_over or step.is_fired):
                standing.state = step.state
                changes.append(Change(standing.rule.alert_id, step, PLACES))
        bounds = [item.machine.bounds(item.state) for item in self._levels.values()]
        self._quiet = (
            max((low for low, _ in bounds), default=-1),
            min((high for _, high in bounds), default=1 << 120),
        )
        return changes

    def _compare(self, now: int) -> list[Change]:
        changes: list[Change] = []
        for alert_id, standing in self._thresholds.items():
            if now * 1000 <= standing.state.seen_ms:
                continue
            value = standing.watch.value(self.tape, now)
            if value is None:
                continue
            step = standing.machine.step(standing.state, value, now * 1000)
            if step is not None:
                standing.state = step.state
                changes.append(Change(alert_id, step, standing.watch.places))
        return changes


def _level(rule: Rule) -> Level:
    level = scaled(rule.condition["level"])
    margin = part_of(level, rule.condition.get("hysteresis_pct", LEVEL_MARGIN_PCT))
    return Level(level, margin, rule.condition["direction"], rule.cooldown_ms)


def _threshold(tape: Tape, rule: Rule) -> tuple[Watch, Threshold]:
    condition = rule.condition
    kind = condition["kind"]
    make: dict[str, Callable[[], Watch]] = {
        "price_moves": lambda: Moved(condition),
        "cvd_delta": lambda: Delta(tape, condition),
        "cvd_quantile": lambda: Delta(tape, condition),
        "divergence": lambda: Apart(tape, condition),
        "setup": lambda: Share(tape, rule.setup or {}),
        "spread": lambda: Spread(condition),
    }
    watch = make[kind]()
    limit, is_above = rule.limit, True
    if kind in {"price_moves", "divergence"}:
        limit = scaled(condition["percent"], PLACES) // 10 ** (PLACES - RATIO_PLACES)
    elif kind == "cvd_quantile":
        is_above = Fraction(condition["quantile"]) >= Fraction(1, 2)
    elif kind != "setup":
        limit, is_above = threshold_of(condition, watch.places)
    if limit is None:
        raise ValueError(f"expected a limit for {kind}")
    return watch, machine_of(condition, limit, is_above, rule.cooldown_ms)


def threshold_of(condition: Mapping[str, Any], places: int) -> tuple[int, bool]:
    """(threshold scaled, whether it is to be at least that)"""
    is_above = "above" in condition
    text = condition["above" if is_above else "below"]
    sign = -1 if text.startswith("-") else 1
    return sign * scaled(text.removeprefix("-"), places), is_above


def machine_of(
    condition: Mapping[str, Any], limit: int, is_above: bool, cooldown_ms: int
) -> Threshold:
    margin = part_of(abs(limit), condition.get("hysteresis_pct", MARGIN_PCT))
    return Threshold(limit, is_above, margin, cooldown_ms)


def part_of(value: int, percent: str) -> int:
    return int(value * Fraction(percent) / 100)


def longest_window(rules: Iterable[Rule]) -> int:
    """How far back (s) the tape has to be known before the first look."""
    windows = [0]
    for rule in rules:
        if rule.setup is not None:
            windows.append(SETUP_WINDOWS.get(rule.setup.get("window", "1m"), 60))
        windows.append(int(rule.condition.get("window_s", 0)))
    return max(windows)
