"""What a trader's own trades say, and no more than they say."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import SignedInRequest
from journal.drawings.curves import Line, Words, curves
from journal.metrics.fate import Fate
from journal.metrics.spread import Spread
from journal.models import Trade
from journal.selectors import fates, report_rows
from journal.selectors import insight as insights
from journal.selectors.insight_words import QUESTIONS, group_of, question_of
from journal.selectors.trades import with_notes
from journal.selectors.units import axis_words
from journal.views.bar import bar, read_filter
from journal.views.drawing import largest_of

LINES_A_PAGE = 100
TONES = ("mixed", "accent", "mixed")


@login_required
@never_cache
@require_GET
def insight(request: SignedInRequest) -> HttpResponse:
    """Findings that hold, everything else that was looked at, costs, and what may come."""
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    chosen = context["chosen"]
    loaded = report_rows.load(request.user, asked.apply(request.user, chosen), chosen)
    rows = report_rows.in_unit(loaded, chosen)
    found = insights.insight(rows, chosen)
    fate = fates.fate_of(rows)
    spreads = [Spread(one.effect, one.low, one.high) for one in found.compared]
    context |= {
        "insight": found,
        "count": len(rows),
        "without": len(loaded) - len(rows),
        "mean": fates.mean_of(rows),
        "fate": _fate(fate, axis_words(chosen, request.user.report_currency)) if fate else None,
        "change": _change(fates.change_of(rows)),
        "explored": fates.explored(rows),
        "effects": list(zip(found.compared, spreads, strict=True)),
        "effect_scale": largest_of(spreads),
    }
    return render(request, "journal/insight.html", context)


@login_required
@never_cache
@require_GET
def behind(request: SignedInRequest) -> HttpResponse:
    """The trades of one group of one question, newest first."""
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    chosen = context["chosen"]
    by, group = request.GET.get("by", ""), request.GET.get("group", "")
    if not by:
        return redirect("insight")
    if by not in QUESTIONS:
        raise Http404(f"expected one of {', '.join(QUESTIONS)}, was {by[:40]!r}")
    rows = report_rows.load(request.user, asked.apply(request.user, chosen), chosen)
    ids = insights.behind(report_rows.in_unit(rows, chosen), chosen, by, group)
    page = Paginator(ids[::-1], LINES_A_PAGE).get_page(request.GET.get("page"))
    trades = Trade.objects.visible_to(request.user).in_bulk(list(page))
    context |= {
        "question": question_of(by),
        "group": group_of(by, group),
        "by": by,
        "group_value": group,
        "page": page,
        "lines": with_notes(request.user, [trades[pk] for pk in page if pk in trades]),
    }
    return render(request, "journal/insight_trades.html", context)


def _fate(fate: Fate, words: Words) -> dict[str, Any]:
    lines = [
        Line(name, tone, [(0.0, 0.0), *((float(at), value) for at, value in enumerate(fan, 1))])
        for name, tone, fan in zip(("95 %", "50 %", "5 %"), TONES, fate.fan[::-2], strict=True)
    ]
    return {
        "drawing": curves(lines, words, lambda number: f"{number:.0f}", is_stepped=False),
        "ahead": fate.ahead,
        "block": fate.block,
        "ends": [fates.exact(value) for value in fate.ends],
        "drawdowns": [fates.exact(-value) for value in fate.drawdowns],
        "ruin_at": fates.exact(-fate.ruin_at),
        "ruin": Decimal(f"{fate.ruin:.4f}"),
    }


def _change(found: fates.Changed | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "is_alarm": found.change.is_alarm,
        "p": found.change.p,
        "at": found.change.at,
        "since": found.since,
        "before": fates.exact(found.change.before),
        "after": fates.exact(found.change.after),
    }
