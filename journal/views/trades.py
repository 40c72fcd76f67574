"""One trade, and what is written on it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.requests import SignedInRequest
from journal.books import grouping
from journal.filters import TradeFilter
from journal.models import NoteTemplate, Screenshot, Setup, Tag, Trade
from journal.selectors.ends import BY_CLOSING, first_of
from journal.selectors.preferences import preferences_of
from journal.selectors.trades import neighbours, one, order_of
from journal.services import annotating, aside, candles, open_results
from journal.tasks import settle_soon
from journal.views.bar import bar, is_number, own_trade, read_filter
from journal.views.drawing import flow_table
from journal.views.executions import entries_of, flow_says, orders_of, orders_say
from lib.dates import INTERVALS


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
    trade = own_trade(request.user, trade_id)
    line = one(request.user, trade)
    context = {
        "trade": trade,
        "line": line,
        "setups": Setup.objects.visible_to(request.user),
        "tag_text": line.tag_text,
        "mistake_text": line.mistake_text,
    }
    return render(request, "journal/_trade_sheet.html", context)


def _trade_page(
    request: SignedInRequest, trade: Trade, written: Mapping[str, str] | None = None
) -> HttpResponse:
    """`written` is what could not be saved: it is shown again, so that nothing is lost."""
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    sort = request.GET.get("sort", "-closed" if trade_filter.state == "closed" else "-opened")
    listed = trade_filter.apply(request.user, context["chosen"]).order_by(*order_of(sort))
    before, after = neighbours(listed, trade.pk)
    line = one(request.user, trade)
    if written:
        line.note.note = written.get("note", line.note.note)
    parts = trade.trade_fills.select_related("fill__flow").order_by("fill__time", "fill_id")
    fills = [(part, getattr(part.fill, "flow", None)) for part in parts]
    entry = next((flow for part, flow in fills if part.is_entry and flow), None)
    orders = orders_of(fills)
    entry_count = sum(part.is_entry for part, _flow in fills)
    context |= {
        "line": line,
        "trade": trade,
        "open_result": open_results.of_trade(request.user, context["chosen"], trade),
        "unit_suffix": open_results.suffix_of(context["chosen"]),
        "fills": fills,
        "orders": orders,
        "orders_say": orders_say(len(orders), len(fills)),
        "entries": entries_of(fills),
        "flow_says": flow_says(trade.flow_share, trade.flow_window, entry_count),
        "intervals": list(INTERVALS),
        "first_part": fills[0][0].pk if fills else None,
        "sort": sort,
        "before": before,
        "after": after,
        "can_split": _can_split(trade, fills),
        "entry_flow": entry,
        "flow_table": flow_table(trade, [part for part, _flow in fills]),
        "realized": trade.realized.all(),
        "setups": Setup.objects.visible_to(request.user),
        "tags": Tag.objects.visible_to(request.user),
        "templates": NoteTemplate.objects.visible_to(request.user),
        "emotions": annotating.EMOTIONS,
        "ratings": range(1, 6),
        "pictures": Screenshot.objects.visible_to(request.user)
        .filter(trade_key=trade.key)
        .defer("image"),
        "markers": _markers(fills),
        "tag_text": line.tag_text,
        "mistake_text": line.mistake_text,
    }
    if written:
        context["tag_text"] = written.get("tags", context["tag_text"])
        context["mistake_text"] = written.get("mistakes", context["mistake_text"])
    return render(request, "journal/trade.html", context, status=400 if written else 200)


@login_required
@require_POST
def annotate(request: SignedInRequest, trade_id: int) -> HttpResponse:
    """The form of the trade page; `next` goes on to the next one to review."""
    trade = own_trade(request.user, trade_id)
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
        annotating.annotate(user=request.user, trade=trade, changes=changes)
    except annotating.BadNote as error:
        messages.error(request, f"{error.field}: {error}")
        return _trade_page(request, trade, request.POST.dict())
    messages.success(request, _("Saved."))
    goes_on = request.POST.get("do") == "reviewed"
    following = (_next_to_review(request) if goes_on else None) or trade.pk
    return redirect(f"{reverse('trade', args=[following])}?{_list_query(request)}")


def _list_query(request: SignedInRequest) -> str:
    """The filters and the order of the list that the trade was opened from."""
    sort = request.GET.get("sort")
    kept = urlencode({"sort": sort}) if sort else ""
    return "&".join(filter(None, [read_filter(request)[0].text, kept]))


@login_required
@require_POST
def regroup(request: SignedInRequest, trade_id: int) -> HttpResponse:
    """`do` is split (with the fill `fill` a new trade begins) or undo."""
    trade = own_trade(request.user, trade_id)
    number, wish = request.POST.get("fill", ""), request.POST.get("do", "")
    if wish not in {"split", "undo"} or (wish == "split" and not is_number(number)):
        return HttpResponseBadRequest(_("Expected split with a fill, or undo."))
    try:
        if wish == "undo":
            made = grouping.undo(trade)
        else:
            part = get_object_or_404(trade.trade_fills.select_related("fill"), fill_id=number)
            made = grouping.split(trade, part.fill)
    except grouping.BadGrouping as error:
        messages.error(request, str(error))
        return redirect("trade", trade.pk)
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
    sentence = _("Set aside. It can be undone.") if wish == "aside" else _("Undone.")
    messages.success(request, sentence)
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


def _can_split(trade: Trade, fills: list[Any]) -> bool:
    return not trade.is_open and trade.by_hand != Trade.ByHand.MERGE and len(fills) > 2


def _next_to_review(request: SignedInRequest) -> int | None:
    chosen_filter = TradeFilter(review="no")
    trades = chosen_filter.apply(request.user, preferences_of(request.user))
    newest = first_of(trades.values_list("pk", "closed_at"), request.user, BY_CLOSING, 1)
    return newest[0][0] if newest else None


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
