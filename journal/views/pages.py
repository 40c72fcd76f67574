"""Reports as tables: breakdowns, a matrix, comparisons, costs, and every lot that was closed."""

from decimal import Decimal
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Avg, Count, Q, QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.requests import SignedInRequest
from journal.filters import TradeFilter
from journal.insight import breakdowns, overview
from journal.models import Market, Preferences, Setup, Trade
from journal.selectors import dimensions, measures, reports
from journal.selectors.flow_bases import bases_of
from journal.selectors.insight import Told
from journal.selectors.measures import Measure
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from journal.selectors.setups import occurrences
from journal.selectors.sums import sums
from journal.selectors.tallies import tally
from journal.tasks import ask_insight
from journal.views.bar import bar, read_filter
from journal.views.drawing import heat, largest_of
from journal.views.report_links import link_of

LINES_A_PAGE = 200


@login_required
@never_cache
@require_GET
def report(request: SignedInRequest) -> HttpResponse:
    """Breakdown by one dimension, or two as a matrix, shown by a measure; findings that hold.
    `X-Part: refresh` asks for the list of the dimensions alone."""
    trade_filter, problem = read_filter(request)
    by, across = (request.GET.get(name, "") for name in ("by", "across"))
    by = by if by in dimensions.DIMENSIONS else "symbol"
    across = across if across in dimensions.DIMENSIONS and across != by else ""
    metric = request.GET.get("metric", "")
    metric = metric if metric in measures.MEASURES else measures.DEFAULT
    measure = measures.MEASURES[metric]
    chosen = preferences_of(request.user)
    kept = ask_insight(request.user, "breakdowns", trade_filter, chosen)
    listed = {
        "by": by,
        "sections": dimensions.by_section(),
        "dimension_bars": {} if kept.answer is None else breakdowns.read(kept.answer, metric),
        "is_computing": kept.is_computing,
        "metric_query": "" if metric == measures.DEFAULT else f"metric={metric}&",
        "filter_query": trade_filter.text,
    }
    if request.headers.get("X-Part") == "refresh":
        return render(request, "journal/_dimensions.html", listed)
    context = bar(request, trade_filter, problem) | listed
    scope = Scope(request.user, trade_filter, chosen)
    trades = trade_filter.apply(request.user, chosen)
    accounts = {row.label: str(row.pk) for row in context["filter_accounts"]}
    context |= {
        "across": across,
        "by_label": dimensions.DIMENSIONS[by].label,
        "metric": metric,
        "measure": measure,
        "measures": [(name, one.label) for name, one in measures.MEASURES.items()],
        "findings": _claims(request.user, trade_filter, chosen),
        "flow_bases": bases_of(trades) if "flow" in {by, across} else [],
        **(
            _cells(trades, by, across, chosen, measure)
            if across
            else _bars(trades, by, scope, accounts, measure)
        ),
    }
    return render(request, "journal/reports.html", context)


def _bars(
    trades: QuerySet[Trade], by: str, scope: Scope, accounts: dict[str, str], measure: Measure
) -> dict[str, object]:
    """The groups of one dimension, each with its drawing and where it leads."""
    chosen = scope.chosen
    groups = reports.shown_groups(scope, by)
    count = reports.count_of(trades, by, groups, chosen, chosen.unit)
    bars = [
        (
            group,
            measure.drawn(group),
            link_of(by, group.name, scope.trade_filter, accounts),
        )
        for group in groups
    ]
    return {
        "count": count,
        "bars": bars,
        "spread_scale": largest_of(drawn for _group, drawn, _link in bars if drawn is not None),
        "is_empty": not bars,
    }


def _cells(
    trades: QuerySet[Trade], by: str, across: str, chosen: Preferences, measure: Measure
) -> dict[str, object]:
    """The groups of two dimensions, each with its heat."""
    columns, lines = reports.matrix(trades, by, across, chosen, chosen.unit)
    drawn = {id(c): measure.drawn(c) for _, cells in lines for c in cells if c is not None}
    values = {key: spread.mean for key, spread in drawn.items() if spread is not None}
    top = max(map(abs, values.values()), default=Decimal(0))
    shaded = [
        (name, [(cell, heat(values.get(id(cell), Decimal(0)), top)) for cell in cells])
        for name, cells in lines
    ]
    return {"columns": columns, "lines": shaded, "is_empty": not lines}


def _claims(user: User, trade_filter: TradeFilter, chosen: Preferences) -> list[Told]:
    """What holds, as far as it is computed."""
    kept = ask_insight(user, "findings", trade_filter, chosen)
    return [] if kept.answer is None else overview.read(kept.answer, chosen).claims


@login_required
@never_cache
@require_GET
def setups(request: SignedInRequest) -> HttpResponse:
    """Conditions on the flow: taken and missed."""
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    rows = []
    for setup in Setup.objects.visible_to(request.user):
        cases = occurrences(request.user, setup)
        if cases is not None:
            taken = tally(cases.taken, context["chosen"])
            rows.append((cases, reports.group(setup.name, taken) if taken.count else None))
    context["rows"] = rows
    return render(request, "journal/setups.html", context)


@login_required
@never_cache
@require_GET
def execution(request: SignedInRequest) -> HttpResponse:
    """What executing cost: maker share, fees, slippage to the mid where it is known."""
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    trades = trade_filter.apply(request.user, context["chosen"])
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
        {
            **row,
            "market_label": dict(Market.choices).get(row["market"], row["market"]),
            "share": row["fees"] / row["size"] if row["size"] else None,
        }
        for row in rows
    ]
    context["sum"] = sums(Scope(request.user, trade_filter, context["chosen"]))
    return render(request, "journal/execution.html", context)


@login_required
@never_cache
@require_GET
def realized(request: SignedInRequest) -> HttpResponse:
    """Every lot that was closed: by trades, or by the method over whole coins."""
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    scope = Scope(request.user, trade_filter, context["chosen"])
    is_tax = request.GET.get("view") == "tax"
    matches = scope.tax_report if is_tax else scope.matches
    money = matches.order_by().aggregate(
        net=Sum("net_money"), taken_along=Sum("net_money", filter=Q(kind="withdrawn"))
    )
    net, taken_along = (money[name] or Decimal(0) for name in ("net", "taken_along"))
    context["sum"] = {"net": net, "taken_along": taken_along, "without": net - taken_along}
    if is_tax:
        plain = scope.tax_matches.order_by().aggregate(net=Sum("net_money"))["net"] or Decimal(0)
        context["stated"] = {"difference": net - plain, "plain": plain}
    context["view"] = "tax" if is_tax else "trades"
    context["query_without_page"] = urlencode({**trade_filter.query, "view": context["view"]})
    context["page"] = Paginator(matches.order_by("-closed_at", "-pk"), LINES_A_PAGE).get_page(
        request.GET.get("page")
    )
    return render(request, "journal/realized.html", context)
