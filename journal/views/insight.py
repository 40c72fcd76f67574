"""What a trader's own trades say, and no more than they say: a page a part, computed by a worker
where it is heavy, and the trades behind each number."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import SignedInRequest
from journal.insight import keeping
from journal.insight.parts import PAGES
from journal.models import Trade
from journal.selectors.insight_words import QUESTIONS, number_of
from journal.selectors.preferences import preferences_of
from journal.selectors.trades import with_notes
from journal.tasks import ask_insight
from journal.views.bar import bar, read_filter
from journal.views.insight_shown import SHOWN

LINES_A_PAGE = 100
FINDINGS = "findings"


@login_required
@never_cache
@require_GET
def insight(request: SignedInRequest, name: str = FINDINGS) -> HttpResponse:
    """One part; `X-Part: refresh` asks for its body alone."""
    if name not in PAGES:
        raise Http404(f"expected one of {', '.join(PAGES)}, was {name[:40]!r}")
    trade_filter, problem = read_filter(request)
    chosen = preferences_of(request.user)
    kept = ask_insight(request.user, name, trade_filter, chosen)
    context: dict[str, Any] = {
        "name": name,
        "kept": kept,
        "body": f"journal/insight/_{name}.html",
        "filter_query": trade_filter.text,
        "chosen": chosen,
    }
    if kept.answer is not None:
        context |= SHOWN[name](kept.answer, request.user, chosen)
    if request.headers.get("X-Part") == "refresh":
        return render(request, "journal/insight/_part.html", context)
    return render(request, "journal/insight.html", bar(request, trade_filter, problem) | context)


@login_required
@never_cache
@require_GET
def behind(request: SignedInRequest) -> HttpResponse:
    """The trades behind one number of one part, newest first."""
    by, group = request.GET.get("by", ""), request.GET.get("group", "")
    name = request.GET.get("part", "") or FINDINGS
    if not by:
        return redirect("insight")
    if name not in PAGES:
        raise Http404(f"expected one of {', '.join(PAGES)}, was {name[:40]!r}")
    trade_filter, problem = read_filter(request)
    chosen = preferences_of(request.user)
    kept = ask_insight(request.user, name, trade_filter, chosen)
    ids = keeping.trades_of(kept.part, by, group)
    if ids is None and kept.is_fresh and not (name == FINDINGS and by in QUESTIONS):
        raise Http404(f"expected a number of the part {name}, was {by[:40]!r}")
    page = Paginator((ids or [])[::-1], LINES_A_PAGE).get_page(request.GET.get("page"))
    trades = Trade.objects.visible_to(request.user).in_bulk(list(page))
    lines = with_notes(request.user, [trades[pk] for pk in page if pk in trades])
    context = {
        "words": number_of(by, group),
        "part": name,
        "by": by,
        "group_value": group,
        "page": page,
        "kept": kept,
        "lines": lines,
        "back": "insight" if name == FINDINGS else "insight-part",
    }
    return render(
        request, "journal/insight_trades.html", bar(request, trade_filter, problem) | context
    )
