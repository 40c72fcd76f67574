"""Reports that are pictures: how results lie, what they depend on, and where they go."""

import math
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import SignedInRequest
from journal.drawings.curves import Line, Words, curves
from journal.drawings.scales import by_minutes
from journal.drawings.spreads import histogram, scatter
from journal.selectors import distributions
from journal.selectors.distributions import Dot, Place
from journal.selectors.scope import Scope
from journal.selectors.units import axis_words
from journal.views.bar import bar, read_filter

WINDOWS = (20, 50)


@login_required
@never_cache
@require_GET
def distribution(request: SignedInRequest) -> HttpResponse:
    """A histogram of results, and each result by how long it was held and how deep it stood."""
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    scope = Scope(request.user, trade_filter, context["chosen"])
    words = axis_words(context["chosen"], request.user.report_currency)
    shown = distributions.distribution(scope)
    dots = distributions.dots(scope) if shown else []
    context |= {
        "count": shown.count if shown else 0,
        "histogram": histogram(shown.edges, shown.counts, shown.mean, words) if shown else None,
        "by_hold": _by_hold(dots, words),
        "by_worst": _by_worst(dots, words) if context["chosen"].unit == "money" else None,
        "dot_count": len(dots),
    }
    return render(request, "journal/distribution.html", context)


@login_required
@never_cache
@require_GET
def trend(request: SignedInRequest) -> HttpResponse:
    """The mean of the last 20 and 50 trades, trade by trade."""
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    scope = Scope(request.user, trade_filter, context["chosen"])
    places = distributions.trend(scope, WINDOWS)
    words = axis_words(context["chosen"], request.user.report_currency)
    context |= {"drawing": _trend(places, words), "count": places[-1].number if places else 0}
    return render(request, "journal/trend.html", context)


def _trend(places: list[Place], words: Words) -> Any:
    lines = [
        Line(
            _("mean of %(count)s") % {"count": window},
            tone,
            [(float(p.number), p.means[window]) for p in places if window in p.means],
        )
        for window, tone in zip(WINDOWS, ("mixed", "accent"), strict=True)
    ]
    days = {place.number: place.closed_at for place in places}

    def number_words(number: float) -> str:
        nearest = min(days, key=lambda known: abs(known - number))
        return date_format(days[nearest], "j M Y")

    return curves(lines, words, number_words, is_stepped=False)


def _by_hold(dots: list[Dot], words: Words) -> Any:
    rows = [
        (math.log10(dot.minutes), dot.value, dot.pk, f"{dot.name} {words(float(dot.value))}")
        for dot in dots
    ]
    return scatter(rows, by_minutes, words)


def _by_worst(dots: list[Dot], words: Words) -> Any:
    rows = [
        (min(dot.worst, Decimal(0)), dot.value, dot.pk, f"{dot.name} {words(float(dot.value))}")
        for dot in dots
        if dot.worst is not None
    ]
    return scatter(rows, words, words)
