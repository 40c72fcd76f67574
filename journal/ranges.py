"""Ranges of numbers among the filters: what a trade made, its R, how long it was held, and the hour
it was opened at."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from django.db.models import DurationField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import ExtractHour
from django.utils.translation import gettext as _

from journal import risks
from journal.models import Preferences, Trade

# name -> the least and the most that may be asked for; each as `<name>_min` and `<name>_max`
LIMITS = {
    # in the report currency
    "net": (Decimal("-1e12"), Decimal("1e12")),
    "r": (Decimal("-1e6"), Decimal("1e6")),
    # minutes
    "held": (Decimal(0), Decimal("1e7")),
    # of the user's day, both inclusive; from 22 to 4 is over midnight
    "hour": (Decimal(0), Decimal(23)),
}
ENDS = {"min": "gte", "max": "lte"}
NAMES = tuple(f"{name}_{end}" for name in LIMITS for end in ENDS)
MOST_DIGITS = 20
HELD = ExpressionWrapper(F("closed_at") - F("opened_at"), output_field=DurationField())

# (name, value), as they stand in the address
Ranges = tuple[tuple[str, Decimal], ...]


class BadRange(ValueError):
    """What was expected, for the user."""


def parse(query: Mapping[str, str]) -> Ranges:
    """Raises BadRange."""
    ranges = tuple((name, value) for name in NAMES if (value := _number(query, name)) is not None)
    given = dict(ranges)
    for name in LIMITS:
        least, most = given.get(f"{name}_min"), given.get(f"{name}_max")
        if name != "hour" and least is not None and most is not None and least > most:
            raise BadRange(
                _("%(name)s: expected a number not below %(least)s")
                % {"name": f"{name}_max", "least": least}
            )
    return ranges


def apply(
    trades: "QuerySet[Trade]", ranges: Ranges, user_id: int, chosen: Preferences
) -> "QuerySet[Trade]":
    """Those within all of them: what has no such value is in none."""
    given = dict(ranges)
    for name in LIMITS:
        limits = {
            how: given[f"{name}_{end}"] for end, how in ENDS.items() if f"{name}_{end}" in given
        }
        if limits:
            trades = _within(trades, name, limits, user_id, chosen)
    return trades


def _within(
    trades: "QuerySet[Trade]",
    name: str,
    limits: dict[str, Decimal],
    user_id: int,
    chosen: Preferences,
) -> "QuerySet[Trade]":
    if name == "net":
        return trades.filter(**{f"net_money__{how}": value for how, value in limits.items()})
    if name == "r":
        return risks.only_r(trades, user_id, **limits)
    if name == "held":
        held = {how: timedelta(minutes=float(value)) for how, value in limits.items()}
        return trades.alias(held=HELD).filter(
            **{f"held__{how}": value for how, value in held.items()}
        )
    return trades.alias(hour=ExtractHour("opened_at", tzinfo=chosen.tzinfo)).filter(_hours(limits))


def _hours(limits: dict[str, Decimal]) -> Q:
    conditions = [Q(("hour__" + how, int(value))) for how, value in limits.items()]
    is_over_midnight = len(conditions) == 2 and limits["gte"] > limits["lte"]
    return Q(*conditions, _connector=Q.OR if is_over_midnight else Q.AND)


def _number(query: Mapping[str, str], name: str) -> Decimal | None:
    text = query.get(name, "").strip().replace("\N{MINUS SIGN}", "-")
    if not text:
        return None
    least, most = LIMITS[name.rpartition("_")[0]]
    try:
        value = Decimal(text) if len(text) <= MOST_DIGITS else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    is_hour = name.startswith("hour")
    if not value.is_finite() or not least <= value <= most or (is_hour and value % 1):
        raise BadRange(
            _("%(name)s: expected a number from %(least)s to %(most)s, was %(value)s")
            % {"name": name, "least": f"{least:f}", "most": f"{most:f}", "value": repr(text[:40])}
        )
    return value
