"""Rules about oneself, as pure judgements over the day so far. Shapes of their values:

day_loss {"money": "100"}; day_trades {"count": 5}; pause {"losses": 2, "minutes": 30};
hours {"from": "22:00", "to": "07:00"}; tilt {"factor": "1"}; stop {}; setups {"allowed": ["…"]}.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext_noop

from lib.decimals import plain
from trading.sentences import told as _
from trading.sentences import was

CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
SHAPES: dict[str, tuple[str, ...]] = {
    "day_loss": ("money",),
    "day_trades": ("count",),
    "pause": ("losses", "minutes"),
    "hours": ("from", "to"),
    "tilt": ("factor",),
    "stop": (),
    "setups": ("allowed",),
}
# What a judgement may say: kept in English, and found again here to be told in another language.
DAY_LOSS = gettext_noop("Today's loss is %(loss)s of at most %(most)s.")
DAY_TRADES = gettext_noop("%(trades)s trades today of at most %(most)s.")
DAY_TRADES_WAITING = gettext_noop(
    "%(trades)s trades today and %(waiting)s waiting to be filled of at most %(most)s."
)
PAUSE = gettext_noop("%(losses)s losses in a row: %(left)s more minutes of pause.")
HOURS = gettext_noop("No trading between %(start)s and %(end)s.")
TILT = gettext_noop("After a loss the size is %(size)s, above %(most)s.")
STOP = gettext_noop("This entry has no stop.")
NO_SETUP = gettext_noop("The setup is none, allowed are %(allowed)s.")
OTHER_SETUP = gettext_noop("The setup is %(setup)s, allowed are %(allowed)s.")
SENTENCES = (
    DAY_LOSS,
    DAY_TRADES,
    DAY_TRADES_WAITING,
    PAUSE,
    HOURS,
    TILT,
    STOP,
    NO_SETUP,
    OTHER_SETUP,
)


@dataclass(frozen=True)
class Day:
    """The user's day so far, in the report currency; `now` on the wall clock of their zone."""

    now: datetime
    net: Decimal = Decimal(0)
    trades: int = 0
    # trades that entries without a fill would open
    waiting: int = 0
    # losses in a row up to now, and when the last trade closed
    losses: int = 0
    closed_at: datetime | None = None
    was_loss: bool = False
    # mean size of the last closed trades
    average_size: Decimal | None = None


@dataclass(frozen=True)
class Entry:
    size: Decimal | None
    has_stop: bool
    setup: str


@dataclass(frozen=True)
class Judgement:
    rule: str
    detail: str
    mode: str = "warn"
    value: dict[str, Any] = field(default_factory=dict)


def judge(name: str, value: Mapping[str, Any], day: Day, entry: Entry) -> str | None:
    """Why an entry would break a rule; None: it would not."""
    return JUDGES[name](value, day, entry)


def checked(name: str, value: Any) -> dict[str, Any]:
    """A rule's value as it is kept. Raises ValueError with what was expected."""
    if name not in SHAPES:
        raise ValueError(
            _("expected a rule of %(known)s, was %(was)s", known=", ".join(SHAPES), was=was(name))
        )
    wanted = SHAPES[name]
    if not isinstance(value, dict) or set(value) != set(wanted):
        if not wanted:
            raise ValueError(_("expected the value of %(name)s as an object of nothing", name=name))
        raise ValueError(
            _(
                "expected the value of %(name)s as an object of %(known)s",
                name=name,
                known=", ".join(wanted),
            )
        )
    return {key: READERS[key](value[key], f"{name}.{key}") for key in wanted}


def _day_loss(value: Mapping[str, Any], day: Day, entry: Entry) -> str | None:
    most = Decimal(value["money"])
    if -day.net < most:
        return None
    return _(DAY_LOSS, loss=plain(-day.net), most=plain(most))


def _day_trades(value: Mapping[str, Any], day: Day, entry: Entry) -> str | None:
    most = int(value["count"])
    if day.trades + day.waiting < most:
        return None
    if not day.waiting:
        return _(DAY_TRADES, trades=day.trades, most=most)
    return _(
        DAY_TRADES_WAITING,
        trades=day.trades,
        waiting=day.waiting,
        most=most,
    )


def _pause(value: Mapping[str, Any], day: Day, entry: Entry) -> str | None:
    if day.losses < int(value["losses"]) or day.closed_at is None:
        return None
    until = day.closed_at + timedelta(minutes=int(value["minutes"]))
    if day.now >= until:
        return None
    left = -(-int((until - day.now).total_seconds()) // 60)
    return _(PAUSE, losses=day.losses, left=left)


def _hours(value: Mapping[str, Any], day: Day, entry: Entry) -> str | None:
    start, end = time.fromisoformat(value["from"]), time.fromisoformat(value["to"])
    clock = day.now.time()
    is_inside = start <= clock < end if start <= end else clock >= start or clock < end
    if not is_inside:
        return None
    return _(HOURS, start=value["from"], end=value["to"])


def _tilt(value: Mapping[str, Any], day: Day, entry: Entry) -> str | None:
    if not day.was_loss or day.average_size is None or entry.size is None:
        return None
    most = day.average_size * Decimal(value["factor"])
    if entry.size <= most:
        return None
    return _(
        TILT,
        size=plain(entry.size),
        most=plain(most),
    )


def _stop(value: Mapping[str, Any], day: Day, entry: Entry) -> str | None:
    return None if entry.has_stop else _(STOP)


def _setups(value: Mapping[str, Any], day: Day, entry: Entry) -> str | None:
    allowed: list[str] = value["allowed"]
    if entry.setup in allowed:
        return None
    names = ", ".join(allowed)
    if not entry.setup:
        return _(NO_SETUP, allowed=names)
    return _(OTHER_SETUP, setup=entry.setup, allowed=names)


JUDGES: dict[str, Callable[[Mapping[str, Any], Day, Entry], str | None]] = {
    "day_loss": _day_loss,
    "day_trades": _day_trades,
    "pause": _pause,
    "hours": _hours,
    "tilt": _tilt,
    "stop": _stop,
    "setups": _setups,
}


def _money(value: Any, name: str) -> str:
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(
            _("expected %(name)s as decimal text, was %(was)s", name=name, was=was(value))
        ) from error
    if isinstance(value, float | bool) or not amount.is_finite() or not 0 < amount < 10**15:
        raise ValueError(
            _(
                "expected %(name)s as decimal text above zero, was %(was)s",
                name=name,
                was=was(value),
            )
        )
    return plain(amount)


def _count(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 10_000:
        raise ValueError(
            _(
                "expected %(name)s as a number from 1 to 10000, was %(was)s",
                name=name,
                was=was(value),
            )
        )
    return value


def _clock(value: Any, name: str) -> str:
    if not isinstance(value, str) or not CLOCK.fullmatch(value):
        raise ValueError(
            _("expected %(name)s as a time such as 22:00, was %(was)s", name=name, was=was(value))
        )
    return value


def _names(value: Any, name: str) -> list[str]:
    is_list = isinstance(value, list) and 0 < len(value) <= 100
    if not is_list or not all(isinstance(item, str) and 0 < len(item) <= 60 for item in value):
        raise ValueError(_("expected %(name)s as a list of names of setups", name=name))
    return list(value)


READERS: dict[str, Callable[[Any, str], Any]] = {
    "money": _money,
    "count": _count,
    "losses": _count,
    "minutes": _count,
    "from": _clock,
    "to": _clock,
    "factor": _money,
    "allowed": _names,
}
