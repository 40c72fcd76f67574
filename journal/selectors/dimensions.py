"""What trades are grouped by: each dimension's label, and the groups that a trade belongs to."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from journal.models import Preferences, Trade
from journal.selectors.report_rows import Row, day_in

Names = Callable[[Row, Preferences], Sequence[str]]
NONE = "–"


def _hour(row: Row, chosen: Preferences) -> str:
    return f"{row.opened_at.astimezone(chosen.tzinfo).hour:02d}:00"


def _weekday(row: Row, chosen: Preferences) -> str:
    days = (
        _("Monday"),
        _("Tuesday"),
        _("Wednesday"),
        _("Thursday"),
        _("Friday"),
        _("Saturday"),
        _("Sunday"),
    )
    at = day_in(row.opened_at, chosen).weekday()
    return f"{at + 1} {days[at]}"


def _session(row: Row, chosen: Preferences) -> str:
    """By UTC: Asia 0-8, Europe 8-14, America 14-22, the rest between."""
    hour = row.opened_at.hour
    if hour < 8:
        return _("Asia")
    if hour < 14:
        return _("Europe")
    return _("America") if hour < 22 else _("Late")


def _bucket(value: Decimal | float, edges: Sequence[float], unit: str) -> str:
    """`1 10–100 $`: a number in front keeps them in order."""
    at = next((n for n, edge in enumerate(edges) if value < edge), len(edges))
    low = f"{edges[at - 1]:g}" if at else ""
    high = f"{edges[at]:g}" if at < len(edges) else ""
    span = f"{low}–{high}" if low and high else f"< {high}" if high else f"≥ {low}"
    return f"{at + 1}. {span} {unit}".strip()


HOLDS = (
    (1, "1 m"),
    (5, "5 m"),
    (15, "15 m"),
    (60, "1 h"),
    (240, "4 h"),
    (1440, "1 d"),
    (4320, "3 d"),
    (10_080, "1 w"),
)


def maker_bucket(row: Row) -> str:
    return _bucket(row.maker_share * 100, (1, 50, 99), "%")


def holding(row: Row) -> str:
    minutes = (row.closed_at - row.opened_at) / timedelta(minutes=1)
    for number, (edge, name) in enumerate(HOLDS):
        if minutes < edge:
            return f"{number + 1}. < {name}"
    return f"{len(HOLDS) + 1}. ≥ {HOLDS[-1][1]}"


# name -> (label, the groups that a trade belongs to)
DIMENSIONS: dict[str, tuple[object, Names]] = {
    "account": (gettext_lazy("Account"), lambda r, p: (r.account,)),
    "market": (gettext_lazy("Market"), lambda r, p: (r.market,)),
    "symbol": (gettext_lazy("Symbol"), lambda r, p: (r.symbol,)),
    "base": (gettext_lazy("Coin"), lambda r, p: (r.base,)),
    "direction": (gettext_lazy("Direction"), lambda r, p: (r.direction,)),
    "hour": (gettext_lazy("Hour of opening"), lambda r, p: (_hour(r, p),)),
    "weekday": (gettext_lazy("Weekday"), lambda r, p: (_weekday(r, p),)),
    "month": (
        gettext_lazy("Month"),
        lambda r, p: (f"{day_in(r.closed_at, p):%Y-%m}",),
    ),
    "session": (gettext_lazy("Session"), lambda r, p: (_session(r, p),)),
    "hold": (gettext_lazy("Holding time"), lambda r, p: (holding(r),)),
    "size": (
        gettext_lazy("Size"),
        lambda r, p: (_bucket(r.size, (100, 500, 1000, 2500, 5000, 10_000, 50_000), ""),),
    ),
    "fills": (
        gettext_lazy("Number of fills"),
        lambda r, p: (_bucket(r.fill_count, (3, 5, 10, 20, 50), ""),),
    ),
    "maker": (
        gettext_lazy("Maker share"),
        lambda r, p: (maker_bucket(r),),
    ),
    "flow": (gettext_lazy("Flow at entry"), lambda r, p: (str(Trade.Against(r.flow).label),)),
    "efficiency": (
        gettext_lazy("Exit efficiency"),
        lambda r, p: (
            NONE if r.efficiency is None else _bucket(r.efficiency * 100, (0, 25, 50, 75), "%"),
        ),
    ),
    "stop": (
        gettext_lazy("What became of the stop"),
        lambda r, p: (str(Trade.StopMoves(r.stop_moves).label),),
    ),
    "streak": (
        gettext_lazy("Losses in a row before"),
        lambda r, p: (str(min(r.after_loss, 5)) + ("+" if r.after_loss >= 5 else ""),),
    ),
    "of_day": (
        gettext_lazy("Trade of the day"),
        lambda r, p: (str(min(r.of_day, 10)) + ("+" if r.of_day >= 10 else ""),),
    ),
    "setup": (gettext_lazy("Setup"), lambda r, p: (r.setup or NONE,)),
    "tag": (gettext_lazy("Tag"), lambda r, p: r.tags or (NONE,)),
    "mistake": (gettext_lazy("Mistake"), lambda r, p: r.mistakes or (NONE,)),
    "emotion": (gettext_lazy("Emotion"), lambda r, p: (r.emotion or NONE,)),
    "rating": (gettext_lazy("Rating"), lambda r, p: (str(r.rating or NONE),)),
    "reviewed": (
        gettext_lazy("Reviewed"),
        lambda r, p: (_("yes") if r.is_reviewed else _("no"),),
    ),
}
