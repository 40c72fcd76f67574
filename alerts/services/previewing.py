"""When an alert would have fired over what is stored: the evaluators' own code over stored bars."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from alerts.conditions.kinds import KINDS, Scope
from alerts.conditions.states import State
from alerts.conditions.watches import MarketWatch, Rule, longest_window
from alerts.selectors.bars import quantile_of
from alerts.services.refusals import BadInput
from journal.models import Setup
from lib.dates import to_ms
from lib.decimals import scaled, text
from market.flow.bands import SETS
from market.flow.bars import Bar
from market.models import Instrument
from market.selectors.reading import read_big_orders, read_span

DAYS, MOST_DAYS = 7, 30
MOST_EVENTS = 1000
# Seconds are looked at so far back, minutes before them; a window below a minute has seconds only.
SECONDS_BACK = 2 * 3600
SHORT_SECONDS_BACK = 6 * 3600
RATIO_PLACES = 6


@dataclass(frozen=True)
class Hit:
    """`value` as an event tells it."""

    at_ms: int
    value: str


@dataclass(frozen=True)
class Preview:
    """`count` may be more than the events that are listed."""

    hits: list[Hit]
    count: int
    from_ms: int
    to_ms: int


def preview(*, user: User, condition: dict[str, Any], cooldown_s: int, days: int = DAYS) -> Preview:
    """`condition` is checked. Raises BadInput for a kind of which nothing is stored."""
    if KINDS[condition["kind"]].scope != Scope.BARS:
        raise BadInput(
            "condition.kind",
            _("Nothing is stored that %(kind)s could be tried on.") % {"kind": condition["kind"]},
        )
    instrument = Instrument.objects.filter(
        venue=settings.VENUE, market=condition["market"], symbol=condition["symbol"]
    ).first()
    now_ms = to_ms(timezone.now())
    if instrument is None:
        return Preview([], 0, now_ms, now_ms)
    if condition["kind"] == "taker_order":
        return _orders(instrument, condition, cooldown_s, now_ms)
    rule = _rule(user, instrument, condition, cooldown_s, now_ms // 1000)
    if rule is None:
        return Preview([], 0, now_ms, now_ms)
    return _over_bars(instrument, rule, days, now_ms // 1000)


def _rule(
    user: User, instrument: Instrument, condition: dict[str, Any], cooldown_s: int, now: int
) -> Rule | None:
    rule = Rule(0, condition, cooldown_s * 1000)
    if condition["kind"] == "cvd_quantile":
        limit = quantile_of(instrument, condition, now)
        return None if limit is None else replace(rule, limit=limit)
    if condition["kind"] == "setup":
        setup = Setup.objects.visible_to(user).get(pk=condition["setup"])
        limit = scaled(setup.conditions["least_share"], RATIO_PLACES)
        return replace(rule, limit=limit, setup=setup.conditions)
    return rule


def _over_bars(instrument: Instrument, rule: Rule, days: int, now: int) -> Preview:
    is_short = 0 < longest_window([rule]) < 60
    seconds_from = (now - (SHORT_SECONDS_BACK if is_short else SECONDS_BACK)) // 60 * 60
    start = seconds_from if is_short else (now - days * 86_400) // 60 * 60
    watch = MarketWatch(SETS[instrument.band_set], start)
    watch.add(rule, State())
    hits: list[Hit] = []
    clock = start
    known_from = 0
    for bar, length in _bars(instrument, start, seconds_from, now):
        known_from = known_from or bar.time
        if bar.time > clock:
            watch.skip(bar.time)
        clock = bar.time + length
        hits += [
            Hit(change.step.at_ms, text(change.step.value, change.places))
            for change in watch.feed(bar, clock)
            if change.step.is_fired
        ]
    return Preview(hits[-MOST_EVENTS:], len(hits), (known_from or now) * 1000, now * 1000)


def _bars(
    instrument: Instrument, start: int, seconds_from: int, now: int
) -> Iterator[tuple[Bar, int]]:
    """(bar, its length in s), oldest first, of what is covered."""
    if start < seconds_from:
        minutes = read_span(instrument, "1m", start * 1000, seconds_from * 1000)
        yield from ((bar, 60) for bar in minutes.bars if bar.close)
    seconds = read_span(instrument, "1s", seconds_from * 1000, now * 1000)
    yield from ((bar, 1) for bar in seconds.bars if bar.close)


def _orders(
    instrument: Instrument, condition: dict[str, Any], cooldown_s: int, now_ms: int
) -> Preview:
    """Of big orders the newest are kept one by one."""
    orders = read_big_orders(instrument.key, Decimal(condition["value"]))
    hits: list[Hit] = []
    for order in sorted(orders, key=lambda order: order.t):
        is_wanted = condition.get("side", order.side) == order.side
        if is_wanted and (not hits or order.t >= hits[-1].at_ms + cooldown_s * 1000):
            hits.append(Hit(order.t, order.value))
    first_ms = min((order.t for order in orders), default=now_ms)
    return Preview(hits[-MOST_EVENTS:], len(hits), first_ms, now_ms)
