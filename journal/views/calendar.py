"""The calendar: a month, a year of small months, or its weeks; a day opens beside a month."""

import calendar as months
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.requests import SignedInRequest
from journal.drawings.curves import Curves, Line, curves
from journal.models import DayNote, Preferences
from journal.selectors.day import Day, day_of_trader
from journal.selectors.scope import Scope
from journal.selectors.sums import Sums, sums_by_day, total
from journal.selectors.units import axis_words, value_of
from journal.views.bar import bar, read_filter
from journal.views.drawing import weeks_of

LONGEST_NOTE = 20_000
VIEWS = ("month", "year", "weeks")


@login_required
@never_cache
@require_GET
def calendar(request: SignedInRequest) -> HttpResponse:
    """A month, a year of small months, or a year's weeks; a day opens beside it."""
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    chosen = context["chosen"]
    today = timezone.now().astimezone(chosen.tzinfo).date()
    year, month = _year_month(request, today)
    days = sums_by_day(Scope(request.user, trade_filter, chosen))
    first = date(year, month, 1)
    after = first + timedelta(days=months.monthrange(year, month)[1])
    week_list = _weeks(year, days)
    view = request.GET.get("view", "")
    context |= {
        "year": year,
        "month": first,
        "today": today,
        "view": view if view in VIEWS else VIEWS[0],
        "before": first - timedelta(days=1),
        "after": after,
        "weeks": weeks_of(year, month, days, today, chosen),
        "facts": _facts(days, first, after, chosen),
        "opened": request.GET.get("day", ""),
        "sum": total(day_sums for day, day_sums in days.items() if first <= day < after),
        "year_sum": total(
            (week for _monday, _sunday, week in week_list)
            if view == "weeks"
            else (day_sums for day, day_sums in days.items() if day.year == year)
        ),
        "years": (first.replace(year=year - 1), first.replace(year=year + 1)),
        "small": _small_months(year, days, today, chosen),
        "week_list": week_list,
        "notes": {
            note.day: note
            for note in DayNote.objects.visible_to(request.user).filter(
                day__gte=first, day__lt=after
            )
        },
    }
    return render(request, "journal/calendar.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def day(request: SignedInRequest, day: str) -> HttpResponse:
    """One day: its sum, its path, its trades and what was written on it; POST writes."""
    try:
        moment = date.fromisoformat(day)
    except ValueError as error:
        raise Http404 from error
    if request.method == "POST":
        _write(request, moment)
        return redirect(f"{reverse('calendar')}?month={moment:%Y-%m}&day={moment}")
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    traded = day_of_trader(request.user, trade_filter, context["chosen"], moment)
    context |= {
        "day": traded,
        "before": moment - timedelta(days=1),
        "after": moment + timedelta(days=1),
        "path": _path(traded, context["chosen"], request.user.report_currency),
    }
    is_part = request.headers.get("X-Part") == "day"
    return render(request, "journal/_day.html" if is_part else "journal/day.html", context)


def _write(request: SignedInRequest, moment: date) -> None:
    text = request.POST.get("note", "").replace("\0", "").strip()
    if len(text) > LONGEST_NOTE:
        messages.error(request, _("Expected text of at most 20,000 characters."))
    elif text:
        DayNote.objects.update_or_create(user=request.user, day=moment, defaults={"note": text})
    else:
        DayNote.objects.filter(user=request.user, day=moment).delete()


def _path(traded: Day, chosen: Preferences, currency: str) -> Curves | None:
    """The day's result added up, by the minute at which it was made."""

    def clock(minute: float) -> str:
        return f"{datetime.fromtimestamp(minute * 60, UTC).astimezone(chosen.tzinfo):%H:%M}"

    line = Line(_("Net"), "accent", traded.path)
    return curves([line], axis_words(chosen, currency), clock)


def _small_months(
    year: int, days: dict[date, Sums], today: date, chosen: Preferences
) -> list[tuple[date, Sums, Any]]:
    """(first day, the month's sum, its weeks) of each month of a year."""
    sums_of: dict[int, list[Sums]] = {number: [] for number in range(1, 13)}
    for day, day_sums in days.items():
        if day.year == year:
            sums_of[day.month].append(day_sums)
    return [
        (date(year, number, 1), total(own), weeks_of(year, number, days, today, chosen))
        for number, own in sums_of.items()
    ]


def _weeks(year: int, days: Mapping[date, Sums]) -> list[tuple[date, date, Sums]]:
    """(Monday, Sunday, sum) of the weeks of a year in which something was earned, newest first; a
    week belongs to the year of its Thursday (ISO 8601)."""
    sums_of: dict[date, list[Sums]] = {}
    for day, day_sums in days.items():
        if day.isocalendar().year == year:
            sums_of.setdefault(day - timedelta(days=day.weekday()), []).append(day_sums)
    return [
        (monday, monday + timedelta(days=6), total(sums_of[monday]))
        for monday in sorted(sums_of, reverse=True)
    ]


def _facts(
    days: Mapping[date, Sums], first: date, after: date, chosen: Preferences
) -> dict[str, Any]:
    """Green days, the best and the worst, in the chosen unit."""
    values = [
        (value, day)
        for day, day_sums in days.items()
        if first <= day < after and (value := value_of(day_sums, chosen)) is not None
    ]
    if not values:
        return {}
    return {
        "green": sum(value > 0 for value, _day in values),
        "count": len(values),
        "best": max(values),
        "worst": min(values),
    }


def _year_month(request: SignedInRequest, today: date) -> tuple[int, int]:
    """`month=2026-11`; anything else is this month."""
    try:
        first = date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return today.year, today.month
    if not 2010 <= first.year <= 2100:
        return today.year, today.month
    return first.year, first.month
