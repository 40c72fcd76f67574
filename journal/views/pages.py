"""Home, calendar, reports, portfolio: what a trader reads."""

import calendar as months
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Avg, Count, Q, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.models import ExchangeAccount
from accounts.requests import SignedInRequest
from journal.models import (
    Balance,
    DailyBalance,
    DayNote,
    Difference,
    Market,
    Setup,
    Sync,
    Trade,
)
from journal.selectors import reports
from journal.selectors.dashboard import dashboard
from journal.selectors.flow_bases import bases_of
from journal.selectors.home_cards import CARDS, cards_of
from journal.selectors.scope import Scope
from journal.selectors.setups import occurrences
from journal.selectors.sums import Sums, sums, sums_by_day, total
from journal.services import proving, valuing
from journal.services.live_prices import dollars_now
from journal.views.bar import bar, read_filter
from journal.views.drawing import half_bar, heat, largest_of, tile_pictures, weeks_of
from lib.cash import own_name

LINES_A_PAGE = 200
SHOWN_BALANCES = 7


@login_required
@never_cache
@require_GET
def home(request: SignedInRequest) -> HttpResponse:
    """Without an account the three-step start."""
    user = request.user
    if not ExchangeAccount.objects.visible_to(user).exists():
        return render(request, "journal/start.html")
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    found = dashboard(user, asked, context["chosen"])
    syncs = Sync.objects.filter(account__in=ExchangeAccount.objects.visible_to(user))
    positions = valuing.value_positions(user)
    cards = cards_of(context["chosen"])
    context |= {
        "found": found,
        "positions": positions,
        "syncs": syncs.exclude(state="complete").select_related("account"),
        "weeks": weeks_of(found.this_day.year, found.this_day.month, found.days, found.this_day),
        "equity": [
            {"time": p.day.isoformat(), "equity": float(p.equity), "drawdown": float(p.drawdown)}
            for p in found.curve
        ],
        "flows": [
            (name, label, found.flow.get(name, Sums()), found.spreads.get(name))
            for name, label in Trade.Against.choices
        ],
        "flow_scale": largest_of(
            spread for name, spread in found.spreads.items() if name != Trade.Against.UNKNOWN
        ),
        "pictures": tile_pictures(found),
        # those that differ first
        "balances": sorted(
            Difference.objects.visible_to(user), key=lambda row: row.cause in {"", "rounding"}
        )[:SHOWN_BALANCES],
        "open_result": _open_result(positions),
        "cards": cards,
        "has_own_order": [card.name for card in cards] != list(CARDS),
    }
    return render(request, "journal/home.html", context)


@login_required
@never_cache
@require_GET
def calendar(request: SignedInRequest) -> HttpResponse:
    """A month, or a year of small months; a day's click filters the trades."""
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    chosen = context["chosen"]
    today = timezone.now().astimezone(chosen.tzinfo).date()
    year, month = _year_month(request, today)
    days = sums_by_day(Scope(request.user, asked, chosen))
    first = date(year, month, 1)
    after = first + timedelta(days=months.monthrange(year, month)[1])
    context |= {
        "year": year,
        "month": first,
        "today": today,
        "is_year": request.GET.get("view") == "year",
        "before": first - timedelta(days=1),
        "after": after,
        "weeks": weeks_of(year, month, days, today),
        "sum": total(found for day, found in days.items() if first <= day < after),
        "year_sum": total(found for day, found in days.items() if day.year == year),
        "small": [(date(year, n, 1), weeks_of(year, n, days, today)) for n in range(1, 13)],
        "notes": {
            note.day: note
            for note in DayNote.objects.visible_to(request.user).filter(
                day__gte=first, day__lt=after
            )
        },
    }
    return render(request, "journal/calendar.html", context)


@login_required
@require_POST
def day_note(request: SignedInRequest, day: str) -> HttpResponse:
    try:
        moment = date.fromisoformat(day)
    except ValueError as error:
        raise Http404 from error
    text = request.POST.get("note", "").replace("\0", "").strip()
    if len(text) > 20_000:
        messages.error(request, _("Expected text of at most 20,000 characters."))
    elif text:
        DayNote.objects.update_or_create(user=request.user, day=moment, defaults={"note": text})
    else:
        DayNote.objects.filter(user=request.user, day=moment).delete()
    return redirect(f"{reverse('calendar')}?month={moment:%Y-%m}")


@login_required
@never_cache
@require_GET
def report(request: SignedInRequest) -> HttpResponse:
    """Breakdown by one dimension, or two as a matrix; findings in plain sentences."""
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    by, across = (request.GET.get(name, "") for name in ("by", "across"))
    by = by if by in reports.DIMENSIONS else "symbol"
    across = across if across in reports.DIMENSIONS and across != by else ""
    rows = reports.load(
        request.user, asked.apply(request.user, context["chosen"]), context["chosen"]
    )
    groups = reports.breakdown(rows, by, context["chosen"])
    if by == "month":
        days = sums_by_day(Scope(request.user, asked, context["chosen"]))
        groups = reports.by_month(rows, days, context["chosen"])
    largest = max((abs(group.mean) for group in groups), default=Decimal(0))
    context |= {
        "by": by,
        "across": across,
        "count": len(rows),
        "by_label": reports.DIMENSIONS[by][0],
        "dimensions": [(name, label) for name, (label, _names) in reports.DIMENSIONS.items()],
        "bars": [(group, half_bar(group.mean, largest)) for group in groups],
        "findings": reports.findings(rows, context["chosen"]),
        "flow_bases": bases_of(asked.apply(request.user, context["chosen"]))
        if "flow" in {by, across}
        else [],
    }
    if across:
        columns, lines = reports.matrix(rows, by, across, context["chosen"])
        top = max((abs(c.mean) for _, cells in lines for c in cells if c), default=Decimal(0))
        context |= {
            "columns": columns,
            "lines": [
                (name, [(cell, heat(cell.mean, top) if cell else "") for cell in cells])
                for name, cells in lines
            ],
        }
    return render(request, "journal/reports.html", context)


@login_required
@never_cache
@require_GET
def compare(request: SignedInRequest) -> HttpResponse:
    """The filter's trades beside all the others of the same kind."""
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    chosen = context["chosen"]
    rows = reports.load(request.user, asked.apply(request.user, chosen), chosen)
    mine = {row.key for row in rows}
    everything = type(asked)().apply(request.user, chosen)
    others = [r for r in reports.load(request.user, everything, chosen) if r.key not in mine]
    context["groups"] = [reports.group("", part) if part else None for part in (rows, others)]
    return render(request, "journal/compare.html", context)


@login_required
@never_cache
@require_GET
def setups(request: SignedInRequest) -> HttpResponse:
    """Conditions on the flow: taken and missed."""
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    rows = []
    for setup in Setup.objects.visible_to(request.user):
        found = occurrences(request.user, setup)
        if found is not None:
            taken = reports.load(request.user, found.taken, context["chosen"])
            rows.append((found, reports.group(setup.name, taken) if taken else None))
    context["rows"] = rows
    return render(request, "journal/setups.html", context)


@login_required
@never_cache
@require_GET
def execution(request: SignedInRequest) -> HttpResponse:
    """What executing cost: maker share, fees, slippage to the mid where it is known."""
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    trades = asked.apply(request.user, context["chosen"])
    rows = (
        trades.order_by()
        .values("market", "symbol", "quote")
        .annotate(
            count=Count("id"),
            fees=Sum("fees_money"),
            size=Sum("size_money"),
            maker=Avg("maker_share"),
            slipped=Sum("slippage"),
            measured=Count("slippage"),
        )
        .order_by("-size")
    )
    context["rows"] = [
        {**row, "share": row["fees"] / row["size"] if row["size"] else None} for row in rows
    ]
    context["sum"] = sums(Scope(request.user, asked, context["chosen"]))
    return render(request, "journal/execution.html", context)


@login_required
@never_cache
@require_GET
def realized(request: SignedInRequest) -> HttpResponse:
    """Every lot that was closed: by trades, or by the method over whole coins."""
    asked, problem = read_filter(request)
    context = bar(request, asked, problem)
    scope = Scope(request.user, asked, context["chosen"])
    is_tax = request.GET.get("view") == "tax"
    found = scope.tax_matches if is_tax else scope.matches
    money = found.order_by().aggregate(
        net=Sum("net_money"), taken_along=Sum("net_money", filter=Q(kind="withdrawn"))
    )
    net, taken_along = (money[name] or Decimal(0) for name in ("net", "taken_along"))
    context["sum"] = {"net": net, "taken_along": taken_along, "without": net - taken_along}
    context["view"] = "tax" if is_tax else "trades"
    context["page"] = Paginator(found.order_by("-closed_at", "-pk"), LINES_A_PAGE).get_page(
        request.GET.get("page")
    )
    return render(request, "journal/realized.html", context)


@login_required
@never_cache
@require_GET
def portfolio(request: SignedInRequest) -> HttpResponse:
    """What is held, in all wallets, at the newest prices, and how that has been."""
    balances = Balance.objects.visible_to(request.user).select_related("account")
    currency = request.user.report_currency
    worths = dollars_now({currency, *(own_name(row.asset) for row in balances)})
    unit = worths[currency].price if currency in worths else None
    rows: list[dict[str, Any]] = []
    for row in balances:
        worth = worths.get(own_name(row.asset))
        price = worth.price / unit if worth is not None and unit else None
        value = None if price is None else row.total * price
        rows.append({"row": row, "price": price, "value": value})
    rows.sort(key=lambda item: item["value"] or Decimal(0), reverse=True)
    whole = sum((item["value"] for item in rows if item["value"]), Decimal(0))
    for item in rows:
        item["share"] = item["value"] / whole if item["value"] and whole else None
    daily = (
        DailyBalance.objects.visible_to(request.user)
        .values("day")
        .annotate(value=Sum("value_usd"))
        .order_by("day")
    )
    positions = valuing.value_positions(request.user)
    # a futures wallet is worth its open results too
    open_results = [
        item.unrealized_money
        for item in positions
        if item.position.market == Market.USDM and item.unrealized_money is not None
    ]
    context = {
        "rows": [item for item in rows if item["row"].total],
        "currency": currency,
        "total": whole + sum(open_results, Decimal(0)) if unit else None,
        "wallets": whole,
        "positions": positions,
        **_proof(request),
        "history": [
            {"time": d["day"].isoformat(), "equity": float(d["value"] or 0)} for d in daily
        ],
        "differences": Difference.objects.visible_to(request.user)
        .exclude(cause__in=["", "rounding"])
        .count(),
    }
    return render(request, "journal/portfolio.html", context)


def _proof(request: SignedInRequest) -> dict[str, Any]:
    """Of all accounts, or of the one that is asked for."""
    accounts = list(ExchangeAccount.objects.visible_to(request.user))
    asked = request.GET.get("account", "")
    account = asked if asked in {str(item.pk) for item in accounts} else ""
    proof = proving.prove_now(request.user, account)
    reasons = [(reason, proving.sentence(reason)) for reason in proof.reasons] if proof else []
    return {"proof": proof, "reasons": reasons, "accounts": accounts, "account": account}


# --- helpers ------------------------------------------------------------------------------------


def _open_result(positions: Sequence[valuing.Valued]) -> Decimal | None:
    """Of those whose price is known; None where none is."""
    known = [p.unrealized_money for p in positions if p.unrealized_money is not None]
    return sum(known, Decimal(0)) if known else None


def _year_month(request: SignedInRequest, today: date) -> tuple[int, int]:
    """`month=2026-11`; anything else is this month."""
    try:
        found = date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return today.year, today.month
    if not 2010 <= found.year <= 2100:
        return today.year, today.month
    return found.year, found.month
