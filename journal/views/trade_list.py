"""The list of trades: its pages, its exports, and what is done to many at once."""

from dataclasses import replace
from datetime import date, time
from itertools import groupby
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.requests import SignedInRequest
from journal.books import grouping
from journal.metrics.days import day_of
from journal.models import Preferences, SavedView, Trade
from journal.selectors.ends import pages_of
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from journal.selectors.sums import Sums, sums, sums_by_day
from journal.selectors.trades import SORTS, Line, order_of, with_notes
from journal.services import annotating, open_results
from journal.services.open_results import OpenResult, OpenSum
from journal.tasks import settle_soon
from journal.views.bar import bar, is_number, read_filter
from journal.views.trade_files import file_of

LINES_A_PAGE = 100
MOST_BULK = 500
# columns of the list that may be shown or hidden, and those that are hidden at first
COLUMNS = (
    ("opened", gettext_noop("Opened"), False),
    ("quantity", gettext_noop("Quantity"), True),
    ("prices", gettext_noop("Entry → exit"), True),
    ("held", gettext_noop("Held"), True),
    ("r", "R", True),
    ("percent", "%", False),
    ("gross", gettext_noop("Gross"), False),
    ("fees", gettext_noop("Fees"), False),
    ("funding", gettext_noop("Funding"), False),
    ("range", gettext_noop("Worst, best, exit"), True),
    ("worst", gettext_noop("Worst"), False),
    ("best", gettext_noop("Best"), False),
    ("efficiency", gettext_noop("Exit took of the best"), False),
    ("slippage", gettext_noop("Slippage"), False),
    ("flow", gettext_noop("Flow at entry"), True),
    ("setup", gettext_noop("Setup"), True),
    ("tags", gettext_noop("Tags"), True),
    ("review", gettext_noop("Review"), True),
)


@login_required
@never_cache
@require_GET
def trade_list(request: SignedInRequest) -> HttpResponseBase:
    """`format=csv` or `xlsx` gives everything that matches."""
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    trades = trade_filter.apply(request.user, context["chosen"])
    sort = request.GET.get("sort", "-closed" if trade_filter.state == "closed" else "-opened")
    order = order_of(sort)
    trades = trades.order_by(*order)
    if (how := request.GET.get("format", "")) in {"csv", "xlsx"}:
        return file_of(request.user, trades, context["chosen"], how)
    pages = pages_of(trades, request.user, order, LINES_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    chosen = context["chosen"]
    lines = with_notes(request.user, page.object_list)
    scope = Scope(request.user, trade_filter, chosen)
    of_open = _open_results(request, lines, chosen)
    context |= {
        "columns": COLUMNS,
        # asked for, what is kept beside is among the trades
        "shows_parts": trade_filter.kind not in {"stack", "all"},
        "is_open_list": trade_filter.state == "open",
        "open_sum": _open_sum(request, trades, chosen) if trade_filter.state == "open" else None,
        "page": page,
        "sort": sort,
        "sorts": SORTS,
        "is_by_opening": sort.removeprefix("-") == "opened",
        "open_results": of_open,
        "unit_suffix": open_results.suffix_of(chosen),
        "sum": sums(scope),
        "days": _by_day(lines, sort, scope),
        "query_without_page": "&".join(
            filter(None, [trade_filter.text, urlencode({"sort": sort})])
        ),
    }
    return render(request, "journal/trades.html", context)


def _open_results(
    request: SignedInRequest, lines: list[Line], chosen: Preferences
) -> dict[int, OpenResult]:
    """Of the open trades on this page, what they would bring at the newest price."""
    if not any(line.trade.is_open for line in lines):
        return {}
    return open_results.of_trades(request.user, chosen)


def _open_sum(request: SignedInRequest, trades: QuerySet[Trade], chosen: Preferences) -> OpenSum:
    """Of all open trades of the list, over its pages."""
    results = open_results.of_trades(request.user, chosen)
    listed = set(trades.order_by().values_list("pk", flat=True))
    known = [one for trade_id, one in results.items() if trade_id in listed]
    return replace(open_results.sum_of(known, chosen), count=len(listed))


Days = list[tuple[date | None, Sums | None, list[Line]]]


def _by_day(lines: list[Line], sort: str, scope: Scope) -> Days:
    """(day, its sums over all pages, its lines on this one) where the list is in the order of time;
    what is open stands under the day it was opened on, without a sum."""
    chosen = scope.chosen
    order = sort.removeprefix("-")
    if order not in {"opened", "closed"}:
        return [(None, None, lines)] if lines else []
    start = time(chosen.day_start)

    def day(line: Line) -> tuple[date, bool]:
        closed = line.trade.closed_at if order == "closed" else None
        return day_of(closed or line.trade.opened_at, chosen.tzinfo, start), closed is not None

    groups = [(*key, list(part)) for key, part in groupby(lines, key=day)]
    moments = [line.trade.closed_at for line in lines if line.trade.closed_at]
    if order == "opened" or not moments:
        return [(key, None, part) for key, _is_closed, part in groups]
    first, last = (day_of(at, chosen.tzinfo, start) for at in (min(moments), max(moments)))
    trade_filter = scope.trade_filter
    within = trade_filter.with_days(
        max(first, trade_filter.from_day or first), min(last, trade_filter.to_day or last)
    )
    by_day = sums_by_day(replace(scope, trade_filter=within))
    return [(key, by_day.get(key) if closed else None, part) for key, closed, part in groups]


@login_required
@require_POST
def bulk(request: SignedInRequest) -> HttpResponseBase:
    """`do` is tag, mistake, setup, stop, review, merge or csv, for the trades `id`."""
    ids = [int(text) for text in request.POST.getlist("id")[:MOST_BULK] if is_number(text)]
    chosen_trades = Trade.objects.visible_to(request.user).filter(pk__in=ids)
    wish, name = request.POST.get("do", ""), request.POST.get("name", "")
    if wish == "csv":
        preferences = preferences_of(request.user)
        return file_of(
            request.user, chosen_trades.order_by(*order_of("-opened")), preferences, wish
        )
    trades = list(chosen_trades)
    count = len(trades)
    try:
        if wish in {"tag", "mistake"}:
            annotating.add_tag(user=request.user, trades=trades, name=name, kind=wish)
        elif wish == "merge":
            made = grouping.merge(trades)
            if made is not None:
                messages.success(request, _("Merged. Undo it on the trade's page."))
                return redirect("trade", made.pk)
            settle_soon()
        elif wish == "stop":
            percent = request.POST.get("stop_percent", "")
            count = annotating.stop_all(user=request.user, trades=trades, percent=percent)
        elif wish in {"review", "setup"}:
            setup = request.POST.get("setup", "")
            change = {"reviewed": True} if wish == "review" else {"setup": setup}
            annotating.annotate_all(user=request.user, trades=trades, changes=change)
        else:
            return HttpResponseBadRequest(_("Expected something to do with the trades."))
    except (annotating.BadNote, grouping.BadGrouping) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(count)s trades changed.") % {"count": count})
    return redirect(f"{reverse('trades')}?{read_filter(request)[0].text}")


@login_required
@require_POST
def save_view(request: SignedInRequest) -> HttpResponse:
    """The present filters under a name; an empty query with a name deletes it."""
    name = " ".join(request.POST.get("name", "").replace("\0", "").split())[:60]
    query = read_filter(request)[0].text[:500]
    if request.POST.get("do") == "delete":
        SavedView.objects.filter(user=request.user, name=name).delete()
    elif name:
        SavedView.objects.update_or_create(user=request.user, name=name, defaults={"query": query})
    return redirect(f"{reverse('trades')}?{query}")
