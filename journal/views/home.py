"""The home page: what was earned, what the flow has to do with it, what is open, what is to do.

Its parts are rendered again from one answer as soon as something of the user's own has happened
(`X-Part: live`), so that they never contradict one another."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import ExchangeAccount
from accounts.requests import SignedInRequest
from journal.drawings.curves import Curves, Line, curves, day_words, of_days
from journal.models import Difference, Preferences, Sync, Trade
from journal.selectors.dashboard import Dashboard, dashboard
from journal.selectors.home_cards import CARDS, cards_of
from journal.selectors.scope import Scope
from journal.selectors.sums import Sums
from journal.selectors.units import UnitPoint, axis_words, spreads_by, unit_curve
from journal.selectors.you_and_flow import YouAndFlow, you_and_flow
from journal.services import open_results
from journal.views.bar import bar, read_filter
from journal.views.drawing import largest_of, tile_pictures, weeks_of
from journal.views.first_run import is_waiting, show
from journal.views.flow_words import flow_sentence

SHOWN_BALANCES = 5
Against = Trade.Against


@login_required
@never_cache
@require_GET
def home(request: SignedInRequest) -> HttpResponse:
    """Without an account the three-step start; while nothing is read yet the page that tells how
    far it is."""
    user = request.user
    if is_waiting(request):
        return show(request)
    if request.headers.get("X-Part") == "refresh":  # somebody has waited until now
        return render(request, "journal/_first_run_over.html")
    if not ExchangeAccount.objects.visible_to(user).exists():
        return render(request, "journal/start.html")
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    chosen = context["chosen"]
    figures = dashboard(user, trade_filter, chosen)
    positions = open_results.open_results(user, chosen, trade_filter.account)
    flow = you_and_flow(Scope(user, trade_filter, chosen), figures.parts)
    cards = cards_of(chosen)
    context |= {
        "figures": figures,
        "positions": positions,
        "positions_account": trade_filter.account,
        "open_sum": open_results.sum_of(positions, chosen),
        "unit_suffix": open_results.suffix_of(chosen),
        "weeks": weeks_of(
            figures.this_day.year, figures.this_day.month, figures.days, figures.this_day, chosen
        ),
        "pictures": tile_pictures(figures, chosen),
        "cards": cards,
        "has_own_order": [card.name for card in cards] != list(CARDS),
        **_reading(request),
        **_flow(request, flow, chosen),
        **_flow_at_entry(request, figures, chosen, trade_filter),
        **_equity(request, figures, chosen),
        # those that differ first
        "balances": sorted(
            Difference.objects.visible_to(user).of_account(trade_filter.account),
            key=lambda row: row.cause in {"", "rounding"},
        )[:SHOWN_BALANCES],
    }
    return render(request, "journal/home.html", context)


def _reading(request: SignedInRequest) -> dict[str, Any]:
    """What is being read now; `is_partial` while a history was never read to its end."""
    rows = Sync.objects.filter(account__in=ExchangeAccount.objects.visible_to(request.user))
    syncs = list(rows.exclude(state=Sync.State.COMPLETE).select_related("account"))
    return {"syncs": syncs, "is_partial": any(row.finished_at is None for row in syncs)}


def _flow(request: SignedInRequest, flow: YouAndFlow, chosen: Preferences) -> dict[str, Any]:
    words = axis_words(chosen, request.user.report_currency)
    lines = [
        Line(_("With flow"), "up", of_days(flow.with_curve)),
        Line(_("Against flow"), "down", of_days(flow.against_curve)),
    ]
    return {
        "flow": flow,
        "flow_drawing": curves(lines, words, day_words(_short_day)),
        "flow_sentence": flow_sentence(flow, chosen, request.user.report_currency),
    }


def _flow_at_entry(
    request: SignedInRequest, figures: Dashboard, chosen: Preferences, trade_filter: Any
) -> dict[str, Any]:
    spreads = spreads_by(Scope(request.user, trade_filter, chosen), "flow")
    known = (spread for name, spread in spreads.items() if name != Against.UNKNOWN)
    return {
        "flows": [
            (name, label, figures.flow.get(name, Sums()), spreads.get(name))
            for name, label in Against.choices
        ],
        "flow_scale": largest_of(known),
    }


def _equity(request: SignedInRequest, figures: Dashboard, chosen: Preferences) -> dict[str, Any]:
    points = unit_curve(figures.days, chosen)
    words = axis_words(chosen, request.user.report_currency)
    return {
        "equity": _drawn(points, words),
        "drawdown": _drawn_down(points, words),
        "deepest": min((point.drawdown for point in points), default=Decimal(0)),
        "equity_rows": [
            (point.day.isoformat(), point.value, point.drawdown) for point in reversed(points)
        ][:200],
    }


def _drawn(points: Sequence[UnitPoint], words: Any) -> Curves | None:
    line = Line(_("Net"), "accent", of_days([(point.day, point.value) for point in points]))
    return curves([line], words, day_words(_short_day))


def _drawn_down(points: Sequence[UnitPoint], words: Any) -> Curves | None:
    if not any(point.drawdown for point in points):
        return None
    below = of_days([(point.day, point.drawdown) for point in points])
    return curves([Line(_("Drawdown"), "down", below)], words, day_words(_short_day))


def _short_day(day: date) -> str:
    return date_format(day, "j M")
