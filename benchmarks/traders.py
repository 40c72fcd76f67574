"""Traders who never were, with what is true of them known: without any edge, or with one leak.

Every trade risks 1 R. A fair trade is worth nothing whatever is known before it, and so is every
way to hold it or to move its stop: the market is one that cannot be told beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import numpy as np

from journal.metrics.findings import Habit
from journal.metrics.traits import AtEntry, Entry, is_night

TRADES = 400
# of a trader with a leak: what a trade of his is worth beside it, and what the leak takes
EDGE, LEAK = 0.2, 0.8
SHARE = 0.28
STOPPED = -0.6
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "BNBUSDT")
START = datetime(2026, 1, 1, tzinfo=UTC)
# what is planted: (the question that must find it, its group)
LEAKS = {
    "size after losses": ("size_after_loss", "larger"),
    "against the flow": ("flow", "against"),
    "at night": ("night", "night"),
    "stops moved away": ("stop_moved", ""),
    "winners cut": ("winner_cut", ""),
    "one symbol": ("symbol", "ETHUSDT"),
}
Random = np.random.Generator


@dataclass(frozen=True)
class Trader:
    entries: Sequence[Entry]
    habits: Sequence[Habit]


def trader(random: Random, leak: str = "", count: int = TRADES) -> Trader:
    """One of `LEAKS`, or none: then no trade is worth anything."""
    worth = EDGE if leak else 0.0
    target = random.uniform(1.0, 2.5)
    zone = int(random.integers(-11, 12))
    openings = _openings(random, count, zone, SHARE if leak == "at night" else 0.2)
    symbols = random.choice(SYMBOLS, count, p=_shares(random, leak))
    flows = random.choice(("with", "mixed", "against", ""), count, p=(0.3, 0.32, SHARE, 0.1))
    sizes = 1000 * np.exp(random.normal(0, 0.25, count))
    doubles = random.random(count) < (0.5 if leak == "size after losses" else 0.1)
    setups = random.choice(("breakout", "fade", "pullback", ""), count)
    # of the trades at their stop, and of all: of which four in five get as far
    moves = random.random(count) < (0.65 if leak == "stops moved away" else 0.2)
    cuts = random.random(count) < (SHARE / 0.8 if leak == "winners cut" else 0.1)
    entries: list[Entry] = []
    stops: list[tuple[float, float]] = []
    winners: list[tuple[float, float]] = []
    is_after_loss = False
    for at in range(count):
        opened = openings[at]
        local = opened + timedelta(hours=zone)
        is_larger = is_after_loss and bool(doubles[at])
        is_leaking = {
            "size after losses": is_larger,
            "against the flow": flows[at] == "against",
            "at night": is_night(local.hour),
            "one symbol": symbols[at] == "ETHUSDT",
        }.get(leak, False)
        own = worth - LEAK if is_leaking else worth
        if cuts[at]:
            made, held = _cut(random, own, leak == "winners cut")
            if held is not None:
                winners.append((held, made))
        else:
            made = _outcome(random, own, target)
            if made < STOPPED and moves[at]:
                kept, made = made, made + _beyond(random, leak == "stops moved away")
                stops.append((kept, made))
        is_after_loss = made < 0
        entries.append(
            Entry(
                key=f"{at:05d}",
                account="own",
                market="usdm",
                symbol=str(symbols[at]),
                direction="LONG" if random.random() < 0.5 else "SHORT",
                opened=opened,
                closed=opened + timedelta(minutes=float(random.uniform(1, 20))),
                hour=local.hour,
                day=local.date(),
                result=made,
                size=float(sizes[at]) * (2.2 if is_larger else 1),
                flow=str(flows[at]),
                setup=str(setups[at]),
            )
        )
    entries = [replace(entry, at_entry=_at_entry(random)) for entry in entries]
    return Trader(entries, [_habit("stop_moved", stops), _habit("winner_cut", winners)])


def _at_entry(random: Random) -> AtEntry:
    """Of no worth: questions that are asked beside the others."""
    return AtEntry(
        large=str(random.choice(("with", "level", "against", ""), p=(0.2, 0.5, 0.2, 0.1))),
        swing=float(random.lognormal(-6, 0.5)),
        order=str(random.choice(("market", "limit", "conditional", ""), p=(0.5, 0.3, 0.1, 0.1))),
    )


def _habit(name: str, pairs: Sequence[tuple[float, float]]) -> Habit:
    return Habit(name, [kept for kept, _made in pairs], [made for _kept, made in pairs])


def _openings(random: Random, count: int, zone: int, nights: float) -> list[datetime]:
    """Five a day, in order; the given share of them at the trader's night."""
    openings = []
    for at in range(count):
        is_night = random.random() < nights
        hour = (22 + random.uniform(0, 8)) % 24 if is_night else random.uniform(6, 22)
        day: date = (START + timedelta(days=at // 5)).date()
        local = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=float(hour))
        openings.append(local - timedelta(hours=zone))
    return sorted(openings)


def _shares(random: Random, leak: str) -> list[float]:
    """Of the symbols, uneven."""
    weights = random.dirichlet(np.full(len(SYMBOLS), 4.0))
    if leak == "one symbol":
        weights[1] = 0.0
        weights = weights / weights.sum() * (1 - SHARE)
        weights[1] = SHARE
    return [float(weight) for weight in weights / weights.sum()]


def _outcome(random: Random, worth: float, target: float) -> float:
    """R of a trade that is worth so much: a fifth end early, the others at the stop or target."""
    if random.random() < 0.2:
        return float(random.normal(worth, 0.3))
    is_won = random.random() < (worth + 1) / (target + 1)
    return float((target if is_won else -1.0) + random.normal(0, 0.1))


def _beyond(random: Random, is_leak: bool) -> float:
    """What a trade makes after its stop, which had been moved: two thirds fall one more R."""
    back = 2.0 - (3 * LEAK if is_leak else 0.0)
    return float((back if random.random() < 1 / 3 else -1.0) + random.normal(0, 0.1))


def _cut(random: Random, worth: float, is_leak: bool) -> tuple[float, float | None]:
    """(made, what the target or the stop would have made) of a trade that is closed at the first
    profit; None: it never saw one."""
    profit, target = float(random.uniform(0.2, 0.8)), 2.5
    if random.random() >= (worth + 1) / (profit + 1):
        return -1.0 + float(random.normal(0, 0.1)), None
    held = profit + (LEAK if is_leak else 0.0)
    return profit, target if random.random() < (held + 1) / (target + 1) else -1.0
