"""What goes wrong on purpose, seeded so that a run can be repeated.

A fault has a kind and arguments. Shares of frames (`drop`, `double`, …) may also stand for good as
a rate; everything else is started, lasts for its seconds, and is counted each time it strikes.
"""

import random
import re
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

FRAME_KINDS = ("drop", "double", "swap", "truncate", "unknown", "wrong_types")
RATES = (*FRAME_KINDS, "cut_every")

Value = float | str | bool
# kind -> its arguments with their defaults; every kind may also have `seconds` where it is listed
ARGUMENTS: dict[str, dict[str, Value]] = {
    **{kind: {"rate": 0.1, "seconds": 5.0} for kind in FRAME_KINDS},
    "delay": {"ms": 500.0, "seconds": 5.0},
    "silence": {"stream": "*", "seconds": 10.0},
    "cut": {"stream": "*"},
    "half_open": {"stream": "*"},
    "refuse": {"seconds": 5.0},
    "status": {"code": 503.0, "path": "*", "rate": 1.0, "seconds": 5.0, "retry_after": 0.0},
    # the exchange does not serve the place it is asked from; under its other name (`open`) spot's
    # market data go on all the same
    "wall": {"code": 451.0, "open": "localhost", "seconds": 60.0},
    "hang": {"path": "*", "rate": 1.0, "seconds": 5.0},
    "clock": {"ms": 0.0},
    "rest_lag": {"ms": 5000.0, "seconds": 10.0},
    "hole": {"symbol": "*", "market": "*", "ids": 10.0, "fillable": False},
    "halt": {"symbol": "*", "market": "*", "on": True},
    "forget": {"symbol": "*", "market": "*", "kept": 1000.0},
    "wipe": {"symbol": "*", "market": "*", "first_id": 1.0},
    "shutdown": {"seconds": 2.0},
    # accounts: events lost or told twice, a user stream that says nothing, orders that are executed
    # though the answer is an error, orders that cannot be found at first, keys that are refused
    "user_lost": {"rate": 0.5, "seconds": 5.0},
    "user_double": {"rate": 0.5, "seconds": 5.0},
    "user_silence": {"seconds": 10.0},
    "executed": {"rate": 1.0, "seconds": 5.0, "code": 503.0},
    "order_hidden": {"ms": 5000.0, "seconds": 10.0},
    # any change of an account: its answer never comes, is a status with an error (its number
    # without the minus), the socket is cut, or all of it is late; before the exchange took the
    # request or after. `times`: how often, 0 for the whole time
    "order": {
        "what": "hang",
        "when": "after",
        "method": "*",
        "path": "*",
        "code": 503.0,
        "error": 1007.0,
        "ms": 1000.0,
        "rate": 1.0,
        "seconds": 30.0,
        "times": 0.0,
    },
    "keys_refused": {"seconds": 10.0},
    # the past: candles left out, a day without a trade, a listing younger than it is, files of the
    # archive that are missing or do not fit
    "kline_holes": {
        "symbol": "*",
        "market": "*",
        "interval": "*",
        "every": 7.0,
        "seconds": 60.0,
    },
    "quiet_day": {"symbol": "*", "market": "*", "date": "2026-11-01", "seconds": 60.0},
    "listed_since": {"symbol": "*", "market": "*", "date": "2026-11-01", "seconds": 60.0},
    "archive": {"path": "*", "what": "missing", "seconds": 60.0},
}
SPOILT = ("missing", "damaged", "checksum", "truncated")
DAY_US = 86_400_000_000
CHOICES: dict[str, set[Value]] = {
    "what": {"hang", "status", "cut", "delay"},
    "when": {"before", "after"},
}
# The largest sensible value of an argument, where it is not 1e9.
MOST = {"rate": 1.0, "ids": 1e6, "first_id": 1e15, "ms": 1e10, "seconds": 1e7}
UNKNOWN_FRAME = '{"e":"somethingNew","E":1,"x":{"y":[null,1.5,"z"]}}'


@dataclass
class Active:
    """A fault under way until `until` (monotonic seconds)."""

    kind: str
    arguments: dict[str, Value]
    until: float
    struck: int = 0

    def number(self, name: str) -> float:
        value = self.arguments[name]
        assert not isinstance(value, str)
        return float(value)

    def matches(self, name: str, text: str) -> bool:
        return fnmatchcase(text, str(self.arguments[name]))

    def concerns(self, market: str, symbol: str) -> bool:
        return self.matches("market", market) and self.matches("symbol", symbol)


class Faults:
    def __init__(self, seed: int = 1, **rates: float) -> None:
        self.rates: dict[str, float] = dict.fromkeys(RATES, 0.0) | rates
        self.seed = seed
        self.rng = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.clock_offset_us = 0
        self.active: list[Active] = []

    @property
    def cut_every(self) -> float:
        return self.rates["cut_every"]

    def change(self, wanted: dict[str, object]) -> None:
        """Rates that stand for good. Raises ValueError for an unknown one or no number."""
        for name, value in wanted.items():
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if name not in {*RATES, "seed"} or not is_number or not 0 <= value <= 1e15:  # type: ignore[operator]
                names = ", ".join(sorted({*RATES, "seed"}))
                raise ValueError(f"expected {names} with numbers >= 0, was {name}={value}")
        for name, value in wanted.items():
            if name == "seed":
                self.seed = int(value)  # type: ignore[call-overload]
                self.rng = random.Random(self.seed)
            else:
                self.rates[name] = float(value)  # type: ignore[arg-type]

    def start(self, kind: str, given: dict[str, object]) -> Active:
        """Begin a fault. Raises ValueError for an unknown kind or argument."""
        arguments = checked(kind, given)
        seconds = arguments.get("seconds", 0.0)
        assert not isinstance(seconds, str)
        active = Active(kind, arguments, time.monotonic() + float(seconds))
        if kind == "clock":
            self.clock_offset_us = int(active.number("ms") * 1000)
        if "seconds" in arguments and kind != "shutdown":
            self.active.append(active)
        if kind not in {*FRAME_KINDS, "delay", "status", "hang", "order", "wall"}:
            self.counts[kind] += 1
        return active

    def as_dict(self) -> dict[str, object]:
        now = time.monotonic()
        return {
            **self.rates,
            "seed": self.seed,
            "clock_offset_ms": self.clock_offset_us / 1000,
            "active": [
                {"kind": item.kind, **item.arguments, "left": round(item.until - now, 1)}
                for item in self._now()
            ],
            "counts": dict(self.counts),
        }

    # --- streams --------------------------------------------------------------------------------

    @property
    def is_calm(self) -> bool:
        """Nothing can happen to a frame just now."""
        return not self.active and not any(self.rates[kind] for kind in FRAME_KINDS)

    def send_plan(self, frame: str, held: list[str]) -> list[str]:
        """The frames to send now for one frame that is due. `held` keeps a frame that changes
        places with the one behind it; it belongs to the connection."""
        if self._strikes("drop"):
            return []
        frames = [frame]
        if self._strikes("double"):
            frames = [frame, frame]
        if self._strikes("truncate"):
            frames = [frame[: self.rng.randint(1, len(frame) - 1)]]
        if self._strikes("unknown"):
            frames.append(UNKNOWN_FRAME)
        if self._strikes("wrong_types"):
            frames = [wrong_types(frame)]
        if held:
            frames.append(held.pop())
        elif self._strikes("swap"):
            held.append(frames.pop())
        return frames

    def is_silent(self, stream: str) -> bool:
        return bool(self.active) and any(
            item.kind == "silence" and item.matches("stream", stream) for item in self._now()
        )

    def delay_seconds(self) -> float:
        """How late the next frame is sent; 0 when none is delayed."""
        late = [item.number("ms") for item in self._now() if item.kind == "delay"]
        if not late:
            return 0.0
        self.counts["delay"] += 1
        return self.rng.uniform(0.5, 1.5) * max(late) / 1000

    def refuses_connections(self) -> bool:
        return any(item.kind == "refuse" for item in self._now())

    # --- accounts -------------------------------------------------------------------------------

    def user_copies(self) -> int:
        """How often an event of a user stream is told: 0, 1 or 2 times."""
        for item in self._now():
            if item.kind == "user_silence":
                self.counts["user_silence"] += 1
                return 0
        return 0 if self._strikes("user_lost") else 2 if self._strikes("user_double") else 1

    def answer_after_execution(self) -> int:
        """The status that hides that an order was executed, 0 for none."""
        for item in self._now():
            if item.kind == "executed" and self.rng.random() < item.number("rate"):
                self.counts["executed"] += 1
                return int(item.number("code"))
        return 0

    def hides_orders_ms(self) -> int:
        """For how long a new order cannot be found."""
        return int(
            max((i.number("ms") for i in self._now() if i.kind == "order_hidden"), default=0)
        )

    def for_change(self, method: str, path: str) -> Active | None:
        """The `order` fault that strikes a request that changes something."""
        for item in self._now():
            if item.kind != "order" or not item.matches("path", path):
                continue
            if not item.matches("method", method) or self.rng.random() >= item.number("rate"):
                continue
            item.struck += 1
            if item.struck == item.number("times"):
                item.until = 0.0
            self.counts[f"order {item.arguments['what']} {item.arguments['when']}"] += 1
            return item
        return None

    def refuses_keys(self) -> bool:
        return any(item.kind == "keys_refused" for item in self._now())

    # --- the past -------------------------------------------------------------------------------

    def hidden(self, market: str, symbol: str) -> list[tuple[int, int]]:
        """Stretches of time (epoch us) in which a symbol had no trade."""
        stretches = []
        for item in self._now():
            if item.kind in {"quiet_day", "listed_since"} and item.concerns(market, symbol):
                opens = midnight_us(str(item.arguments["date"]))
                is_day = item.kind == "quiet_day"
                stretches.append((opens, opens + DAY_US) if is_day else (0, opens))
        return stretches

    def leaves_out(self, market: str, symbol: str, interval: str) -> int:
        """Every so many candles one is missing; 0 for none."""
        for item in self._now():
            if (
                item.kind == "kline_holes"
                and item.concerns(market, symbol)
                and item.matches("interval", interval)
            ):
                return int(item.number("every"))
        return 0

    def archive_fault(self, path: str) -> str:
        """What is wrong with a file of the archive; empty for nothing."""
        for item in self._now():
            if item.kind == "archive" and item.matches("path", path):
                what = str(item.arguments["what"])
                self.counts[f"archive {what}"] += 1
                return what
        return ""

    # --- REST -----------------------------------------------------------------------------------

    def for_request(self, path: str) -> Active | None:
        """The `status` or `hang` that strikes a request."""
        for item in self._now():
            if (
                item.kind in {"status", "hang"}
                and item.matches("path", path)
                and self.rng.random() < item.number("rate")
            ):
                name = f"status {item.number('code'):.0f}" if item.kind == "status" else "hang"
                self.counts[name] += 1
                return item
        return None

    def wall_before(self, host: str) -> int:
        """The status of the wall before everything but market data, 0 for none; 1 where only
        market data are served: asked by its other name."""
        for item in self._now():
            if item.kind == "wall":
                return 1 if host == item.arguments["open"] else int(item.number("code"))
        return 0

    def rest_lag_us(self) -> int:
        lags = [item.number("ms") for item in self._now() if item.kind == "rest_lag"]
        return int(max(lags, default=0.0) * 1000)

    def _strikes(self, kind: str) -> bool:
        rate = self.rates.get(kind, 0.0)
        for item in self._now():
            if item.kind == kind:
                rate = max(rate, item.number("rate"))
        if not rate or self.rng.random() >= rate:
            return False
        self.counts[kind] += 1
        return True

    def _now(self) -> list[Active]:
        if self.active:
            now = time.monotonic()
            self.active = [item for item in self.active if item.until > now]
        return self.active


def checked(kind: str, given: dict[str, object]) -> dict[str, Value]:
    """The arguments of a fault with its defaults. Raises ValueError with what was expected."""
    if kind not in ARGUMENTS:
        raise ValueError(f"expected a fault of {', '.join(ARGUMENTS)}, was {kind!r}")
    arguments = dict(ARGUMENTS[kind])
    for name, value in given.items():
        if name not in arguments:
            known = ", ".join(arguments)
            raise ValueError(f"expected {kind} with {known}, was {name!r}")
        wanted = type(arguments[name])
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        most = MOST.get(name, 1e9)
        least = -most if kind == "clock" else 0.0
        is_fit = not isinstance(value, float) or least <= value <= most
        if not isinstance(value, wanted) or not is_fit:
            numbers = f"a number between {least:g} and {most:g}"
            expected = {"float": numbers, "str": "a text", "bool": "true or false"}
            raise ValueError(
                f"expected {name} of {kind} as {expected[wanted.__name__]}, was {value!r}"
            )
        assert isinstance(value, float | str | bool)
        if kind == "order" and value not in CHOICES.get(name, {value}):
            names = ", ".join(sorted(map(str, CHOICES[name])))
            raise ValueError(f"expected {name} of {kind} as one of {names}, was {value!r}")
        arguments[name] = value
    if "date" in arguments:
        midnight_us(str(arguments["date"]))
    if kind == "archive" and arguments["what"] not in SPOILT:
        raise ValueError(f"expected what of {', '.join(SPOILT)}, was {arguments['what']!r}")
    return arguments


def midnight_us(text: str) -> int:
    """`2026-11-01` -> epoch us. Raises ValueError."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"expected date as YYYY-MM-DD, was {text!r}") from error
    return (day - date(1970, 1, 1)).days * DAY_US


def wrong_types(frame: str) -> str:
    """As after a careless change of the exchange: ids become texts, prices null."""
    for name, value in (("t", '"x"'), ("a", '"x"'), ("p", "null"), ("u", "{}"), ("b", "7")):
        frame = re.sub(
            rf'"{name}":(\d+|"[^"]*"|\[)', f'"{name}":{value},"was{name}":\\1', frame, count=1
        )
    return frame
