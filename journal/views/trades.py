"""The list of trades, one trade, and what is written on it."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

import xlsxwriter  # type: ignore[import-untyped]
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseBase,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.requests import SignedInRequest
from journal.answers import as_csv, trade_answer
from journal.books import grouping
from journal.filters import TradeFilter
from journal.metrics.days import day_of
from journal.models import (
    NoteTemplate,
    SavedView,
    Screenshot,
    Setup,
    Tag,
    Trade,
)
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from journal.selectors.sums import Sums, sums, sums_by_day
from journal.selectors.trades import Line, neighbours, one, with_notes
from journal.services import annotating, aside, candles, valuing
from journal.shapes.trades import TradeRow
from journal.tasks import settle_soon
from journal.views.bar import bar, is_number, own_trade, read_filter
from journal.views.drawing import flow_table
from journal.views.executions import entries_of, flow_says, orders_of, orders_say
from lib.dates import INTERVALS

LINES_A_PAGE = 100
MOST_BULK = 500
# column -> what it is sorted by
SORTS = {
    "opened": "opened_at",
    "closed": "closed_at",
    "symbol": "symbol",
    "net": "net_money",
    "size": "size_money",
    "fees": "fees_money",
    "flow": "flow_share",
    "fills": "fill_count",
}
LIST_IDS = 20_000
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
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    found = asked.apply(request.user, context["chosen"])
    sort = request.GET.get("sort", "-closed" if asked.state == "closed" else "-opened")
    found = found.order_by(*_order(sort))
    if (how := request.GET.get("format", "")) in {"csv", "xlsx"}:
        return _export(request, found, how)
    page = Paginator(found, LINES_A_PAGE).get_page(request.GET.get("page"))
    chosen = context["chosen"]
    lines = with_notes(request.user, page.object_list)
    scope = Scope(request.user, asked, chosen)
    context |= {
        "columns": COLUMNS,
        "page": page,
        "sort": sort,
        "sorts": SORTS,
        "is_by_opening": sort.removeprefix("-") == "opened",
        "open_results": _open_results(request, lines),
        "sum": sums(scope),
        "days": _by_day(lines, sort, scope),
        "query_without_page": "&".join(filter(None, [asked.text, urlencode({"sort": sort})])),
    }
    return render(request, "journal/trades.html", context)


def _open_results(request: SignedInRequest, lines: list[Line]) -> dict[int, Decimal | None]:
    """Of the open trades on this page, what they would bring at the newest price."""
    if not any(line.trade.is_open for line in lines):
        return {}
    valued = valuing.value_positions(request.user)
    return {item.trade_id: item.unrealized_money for item in valued if item.trade_id is not None}


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
    asked = scope.asked
    within = asked.with_days(max(first, asked.from_day or first), min(last, asked.to_day or last))
    by_day = sums_by_day(replace(scope, asked=within))
    return [(key, by_day.get(key) if closed else None, part) for key, closed, part in groups]


@login_required
@require_POST
def bulk(request: SignedInRequest) -> HttpResponse:
    """`do` is tag, mistake, review or merge, for the trades `id`."""
    ids = [int(text) for text in request.POST.getlist("id")[:MOST_BULK] if is_number(text)]
    trades = list(Trade.objects.visible_to(request.user).filter(pk__in=ids))
    wish, name = request.POST.get("do", ""), request.POST.get("name", "")
    try:
        if wish in {"tag", "mistake"}:
            annotating.add_tag(user=request.user, trades=trades, name=name, kind=wish)
        elif wish == "merge":
            made = grouping.merge(trades)
            if made is not None:
                messages.success(request, _("Merged. Undo it on the trade's page."))
                return redirect("trade", made.pk)
            settle_soon()
        elif wish == "review":
            for trade in trades:
                annotating.annotate(user=request.user, trade=trade, changes={"reviewed": True})
        else:
            return HttpResponseBadRequest(_("Expected something to do with the trades."))
    except (annotating.BadNote, grouping.BadGrouping) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(count)s trades changed.") % {"count": len(trades)})
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


@login_required
@never_cache
@require_GET
def trade(request: SignedInRequest, trade_id: int) -> HttpResponse:
    """The trade in the list that the filter makes, with the ones before and after it."""
    return _trade_page(request, own_trade(request.user, trade_id))


@login_required
@never_cache
@require_GET
def trade_sheet(request: SignedInRequest, trade_id: int) -> HttpResponse:
    """What is written on a trade, to be changed beside the list."""
    found = own_trade(request.user, trade_id)
    line = one(request.user, found)
    context = {
        "trade": found,
        "line": line,
        "setups": Setup.objects.visible_to(request.user),
        "tag_text": ", ".join(t.name for t in line.tags if t.kind == "tag"),
        "mistake_text": ", ".join(t.name for t in line.tags if t.kind == "mistake"),
    }
    return render(request, "journal/_trade_sheet.html", context)


def _trade_page(
    request: SignedInRequest, found: Trade, written: Mapping[str, str] | None = None
) -> HttpResponse:
    """`written` is what could not be saved: it is shown again, so that nothing is lost."""
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    sort = request.GET.get("sort", "-closed" if asked.state == "closed" else "-opened")
    ids = asked.apply(request.user, context["chosen"]).order_by(*_order(sort))
    before, after = neighbours(request.user, found, ids.values_list("pk", flat=True)[:LIST_IDS])
    line = one(request.user, found)
    if written:
        line.note.note = written.get("note", line.note.note)
    parts = found.trade_fills.select_related("fill__flow").order_by("fill__time", "fill_id")
    fills = [(part, getattr(part.fill, "flow", None)) for part in parts]
    entry = next((flow for part, flow in fills if part.is_entry and flow), None)
    orders = orders_of(fills)
    entry_count = sum(part.is_entry for part, _flow in fills)
    context |= {
        "line": line,
        "trade": found,
        "fills": fills,
        "orders": orders,
        "orders_say": orders_say(len(orders), len(fills)),
        "entries": entries_of(fills),
        "flow_says": flow_says(found.flow_share, found.flow_window, entry_count),
        "intervals": list(INTERVALS),
        "first_part": fills[0][0].pk if fills else None,
        "sort": sort,
        "before": before,
        "after": after,
        "can_split": _can_split(found, fills),
        "entry_flow": entry,
        "flow_table": flow_table(found, [part for part, _flow in fills]),
        "realized": found.realized.all(),
        "setups": Setup.objects.visible_to(request.user),
        "tags": Tag.objects.visible_to(request.user),
        "templates": NoteTemplate.objects.visible_to(request.user),
        "emotions": annotating.EMOTIONS,
        "ratings": range(1, 6),
        "pictures": Screenshot.objects.visible_to(request.user)
        .filter(trade_key=found.key)
        .defer("image"),
        "markers": _markers(fills),
        "tag_text": ", ".join(t.name for t in line.tags if t.kind == "tag"),
        "mistake_text": ", ".join(t.name for t in line.tags if t.kind == "mistake"),
    }
    if written:
        context["tag_text"] = written.get("tags", context["tag_text"])
        context["mistake_text"] = written.get("mistakes", context["mistake_text"])
    return render(request, "journal/trade.html", context, status=400 if written else 200)


@login_required
@require_POST
def annotate(request: SignedInRequest, trade_id: int) -> HttpResponse:
    """The form of the trade page; `next` goes on to the next one to review."""
    found = own_trade(request.user, trade_id)
    names = (
        "note",
        "emotion",
        "rating",
        "setup",
        "tags",
        "mistakes",
        "planned_entry",
        "planned_stop",
        "initial_stop",
        "planned_target",
    )
    changes: dict[str, Any] = {name: request.POST[name] for name in names if name in request.POST}
    if "rules" in request.POST:
        changes["rules_kept"] = request.POST.getlist("rules_kept")
    if request.POST.get("do") in {"reviewed", "unreviewed"}:
        changes["reviewed"] = request.POST["do"] == "reviewed"
    try:
        annotating.annotate(user=request.user, trade=found, changes=changes)
    except annotating.BadNote as error:
        messages.error(request, f"{error.field}: {error}")
        return _trade_page(request, found, request.POST.dict())
    messages.success(request, _("Saved."))
    goes_on = request.POST.get("do") == "reviewed"
    following = (_next_to_review(request) if goes_on else None) or found.pk
    return redirect(f"{reverse('trade', args=[following])}?{read_filter(request)[0].text}")


@login_required
@require_POST
def regroup(request: SignedInRequest, trade_id: int) -> HttpResponse:
    """`do` is split (with the fill `fill` a new trade begins) or undo."""
    found = own_trade(request.user, trade_id)
    number, wish = request.POST.get("fill", ""), request.POST.get("do", "")
    if wish not in {"split", "undo"} or (wish == "split" and not is_number(number)):
        return HttpResponseBadRequest(_("Expected split with a fill, or undo."))
    try:
        if wish == "undo":
            made = grouping.undo(found)
        else:
            part = get_object_or_404(found.trade_fills.select_related("fill"), fill_id=number)
            made = grouping.split(found, part.fill)
    except grouping.BadGrouping as error:
        messages.error(request, str(error))
        return redirect("trade", found.pk)
    if made is None:
        settle_soon()
        messages.success(request, _("Saved. What depends on it is computed again now."))
        return redirect("trades")
    messages.success(request, _("Undone.") if wish == "undo" else _("Split. It can be undone."))
    return redirect("trade", made.pk)


@login_required
@require_POST
def set_aside(request: SignedInRequest, trade_id: int) -> HttpResponse:
    """`do` is aside or undo (also of one that was set aside by itself)."""
    trade, wish = own_trade(request.user, trade_id), request.POST.get("do", "")
    if wish not in {"aside", "undo"}:
        return HttpResponseBadRequest(_("Expected aside or undo."))
    try:
        changed = aside.set_aside(trade) if wish == "aside" else aside.undo(trade)
    except aside.BadWish as error:
        messages.error(request, str(error))
        return redirect("trade", trade.pk)
    settle_soon()
    said = _("Set aside. It can be undone.") if wish == "aside" else _("Undone.")
    messages.success(request, said)
    return redirect("trade", changed.pk) if changed else redirect("trades")


@login_required
@never_cache
@require_GET
def review(request: SignedInRequest) -> HttpResponse:
    """The newest trade that is not reviewed."""
    following = _next_to_review(request)
    if following is None:
        messages.success(request, _("All trades reviewed."))
        return redirect("home")
    return redirect("trade", following)


@login_required
@require_GET
def trade_candles(request: SignedInRequest, trade_id: int) -> JsonResponse:
    """Prices around a trade: the tape's own bars, else the exchange's candles."""
    return JsonResponse(candles.around(own_trade(request.user, trade_id)))


@login_required
@never_cache
@require_GET
def replay(request: SignedInRequest, trade_id: int) -> HttpResponse:
    """The trade's own page, where the replay begins at once."""
    return _trade_page(request, own_trade(request.user, trade_id))


# --- helpers ------------------------------------------------------------------------------------


def _can_split(found: Trade, fills: list[Any]) -> bool:
    return not found.is_open and found.by_hand != Trade.ByHand.MERGE and len(fills) > 2


def _order(sort: str) -> list[str]:
    name = sort.removeprefix("-")
    column = SORTS.get(name, "opened_at")
    sign = "-" if sort.startswith("-") else ""
    return [f"{sign}{column}", f"{sign}pk"]


def _next_to_review(request: SignedInRequest) -> int | None:
    chosen_filter = TradeFilter(review="no")
    found = chosen_filter.apply(request.user, preferences_of(request.user))
    return found.order_by("-closed_at", "-pk").values_list("pk", flat=True).first()


def _markers(fills: Any) -> list[dict[str, Any]]:
    return [
        {
            "time": int(part.fill.time.timestamp()),
            "side": part.fill.side,
            "price": float(part.fill.price),
            "quantity": str(part.fill.quantity.normalize()),
        }
        for part, _flow in fills
    ]


def _export(request: SignedInRequest, found: QuerySet[Trade], how: str) -> HttpResponseBase:
    rows = _answers(request, found)
    if how == "csv":
        return as_csv(rows, "trades.csv")
    packed = io.BytesIO()
    # text stays text: no formula, and no link to somewhere
    plain = {"strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(packed, {"constant_memory": True, **plain})
    sheet = book.add_worksheet("Trades")
    for number, row in enumerate(rows):
        if number == 0:
            sheet.write_row(0, 0, list(row))
        for column, value in enumerate(row.values()):
            sheet.write(number + 1, column, ", ".join(value) if isinstance(value, list) else value)
    book.close()
    packed.seek(0)
    return FileResponse(packed, as_attachment=True, filename="trades.xlsx")


def _answers(request: SignedInRequest, found: QuerySet[Trade]) -> Iterator[TradeRow]:
    rows: list[Trade] = []
    for row in found.iterator(2000):
        rows.append(row)
        if len(rows) == 2000:
            yield from (trade_answer(line) for line in with_notes(request.user, rows))
            rows = []
    yield from (trade_answer(line) for line in with_notes(request.user, rows))
