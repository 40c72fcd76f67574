"""The journal over REST: the same filters and the same numbers as the pages."""

import copy
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import QuerySet, Sum
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.scopes import Scope as TokenScope
from journal.answers import (
    as_csv,
    epoch,
    fill_answer,
    group_answer,
    plain,
    protection_answer,
    realized_answer,
    sums_answer,
    trade_answer,
)
from journal.api.lists import OwnList, parsed, user_of, wants_csv
from journal.api.parameters import ASSET, FILTERS, KIND, SYMBOL, listed
from journal.books import grouping
from journal.books.protecting import path_of
from journal.filters import TradeFilter
from journal.insight import overview
from journal.models import Preferences, Realized, Setup, Trade
from journal.selectors import dimensions, reports
from journal.selectors.dashboard import dashboard
from journal.selectors.flow_bases import bases_of
from journal.selectors.insight import Told
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from journal.selectors.setups import occurrences
from journal.selectors.sums import sums, sums_by_day
from journal.selectors.trades import one, with_notes
from journal.services import annotating
from journal.shapes.asked import MergeAsked, NoteAsked, SplitAsked
from journal.shapes.trades import (
    BeingComputed,
    CalendarDay,
    DashboardAnswer,
    RealizedRow,
    ReportAnswer,
    SetupRow,
    Summary,
    TradeRow,
    TradeWhole,
)
from journal.tasks import ask_insight, settle_soon
from lib.openapi import ACCOUNT, MARKET, Rows, gives, query, span

MOST_IDS = 200
REGROUPED = {200: TradeRow, 202: BeingComputed}
# the last line of a tax report
STATED_LINE = "difference_by_stated_costs"


@listed(TradeRow, *FILTERS, *span())
class TradesView(OwnList):
    """Round trips, newest first by opening; filters as in the pages' URL."""

    moment = "opened_at"

    def get(self, request: Request) -> HttpResponseBase:
        user, query = user_of(request), request.query_params
        trades = parsed(query.dict()).apply(user, preferences_of(user))
        self._found = trades
        if wants_csv(query):
            chosen = self._filtered(request, query).order_by("-opened_at")
            return as_csv((trade_answer(line) for line in _lines(user, chosen)), "trades.csv")
        return super().get(request)

    def rows(self, user: User) -> QuerySet[Any]:
        return self._found

    def shown_all(self, user: User, rows: Sequence[Trade]) -> list[TradeRow]:
        return [trade_answer(line) for line in with_notes(user, rows)]


class TradeView(APIView):
    """One round trip with its fills, their flow and its lots."""

    scopes: ClassVar = {"PATCH": TokenScope.JOURNAL}

    @extend_schema(responses=gives(TradeWhole))
    def get(self, request: Request, trade_id: int) -> Response:
        user = user_of(request)
        trade = get_object_or_404(Trade.objects.visible_to(user), pk=trade_id)
        parts = trade.trade_fills.select_related("fill__flow").order_by("fill__time", "fill_id")
        line = one(user, trade)
        return Response(
            {
                **trade_answer(line),
                "fills": [fill_answer(part) for part in parts],
                "realized": [realized_answer(row) for row in trade.realized.all()],
                "protection": protection_answer(path_of(trade), line.note),
            }
        )

    @extend_schema(request=NoteAsked, responses=gives(TradeRow))
    def patch(self, request: Request, trade_id: int) -> Response:
        """Change what is written on it: note, tags, mistakes, setup, rules_kept, rating, emotion,
        planned_entry, planned_stop, planned_target, initial_stop, reviewed."""
        user = user_of(request)
        trade = get_object_or_404(Trade.objects.visible_to(user), pk=trade_id)
        if not isinstance(request.data, dict):
            raise ValidationError({"note": ["Expected an object of what changes."]})
        try:
            annotating.annotate(user=user, trade=trade, changes=dict(request.data))
        except annotating.BadNote as error:
            raise ValidationError({error.field: [str(error)]}) from error
        return Response(trade_answer(one(user, trade)))


@listed(
    RealizedRow,
    ACCOUNT,
    MARKET,
    SYMBOL,
    ASSET,
    KIND,
    query("view", choices=("trades", "tax")),
    *span(),
)
class RealizedView(OwnList):
    """Lots that were closed: the list behind every realised sum. `view=tax`: by the method over the
    whole coin, whatever trade they belong to, and by the costs that were stated of deposits;
    `difference_by_stated_costs` is what these change, a last line of the CSV takes it back, so that
    all of it adds up to the proof."""

    exact = ("account", "market", "symbol", "asset", "kind")
    moment = "closed_at"

    def rows(self, user: User) -> QuerySet[Any]:
        view = self.request.query_params.get("view") or "trades"
        if view not in {"trades", "tax"}:
            raise ValidationError({"view": [f"Expected trades or tax, was {view[:20]!r}."]})
        rows = Realized.objects.visible_to(user)
        return rows.of_tax_report() if view == "tax" else rows.of_trades()

    def shown(self, row: Realized) -> RealizedRow:
        return realized_answer(row)

    def beside(self, request: Request, query: Mapping[str, str]) -> dict[str, Any]:
        if query.get("view") != "tax":
            return {}
        net, money = self._difference(request, query)
        return {"difference_by_stated_costs": {"net": plain(net), "net_money": plain(money)}}

    def last_lines(self, request: Request, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """What stated costs change, taken back."""
        if query.get("view") != "tax":
            return []
        net, money = self._difference(request, query)
        if not net and not money:
            return []
        line = dict.fromkeys(realized_answer(Realized(quantity=0)))
        line |= {"kind": STATED_LINE, "net": plain(-net), "net_money": plain(-money)}
        return [line]

    def _difference(self, request: Request, query: Mapping[str, str]) -> tuple[Decimal, Decimal]:
        """(dollars, report currency): the tax report less the tax view."""
        own = Realized.objects.visible_to(user_of(request))
        sums = [
            self._filtered(request, query, rows)
            .order_by()
            .aggregate(net=Sum("net"), money=Sum("net_money"))
            for rows in (own.of_tax_report(), own.of_tax())
        ]
        report, tax = [(one["net"] or Decimal(0), one["money"] or Decimal(0)) for one in sums]
        return report[0] - tax[0], report[1] - tax[1]


class DashboardView(APIView):
    @extend_schema(responses=gives(DashboardAnswer), parameters=[*FILTERS])
    def get(self, request: Request) -> Response:
        user = user_of(request)
        board = dashboard(user, parsed(request.query_params.dict()), preferences_of(user))
        return Response(
            {
                "currency": user.report_currency,
                "day": board.this_day.isoformat(),
                "today": sums_answer(board.today),
                "week": sums_answer(board.week),
                "month": sums_answer(board.month),
                "all": sums_answer(board.all_time),
                "flow": {name: sums_answer(part) for name, part in board.flow.items()},
                "equity": [
                    {
                        "day": p.day.isoformat(),
                        "net": plain(p.net),
                        "equity": plain(p.equity),
                        "drawdown": plain(p.drawdown),
                    }
                    for p in board.curve
                ],
                "to_review": board.review_count,
                "differences": board.differences,
            }
        )


class MergeView(APIView):
    """Joins closed trades of one account, market, symbol and direction: `{"ids": [1, 2]}`."""

    scopes: ClassVar = {"POST": TokenScope.JOURNAL}

    @extend_schema(request=MergeAsked, responses=REGROUPED)
    def post(self, request: Request) -> Response:
        user = user_of(request)
        ids = request.data.get("ids") if isinstance(request.data, dict) else None
        if not isinstance(ids, list) or not all(type(pk) is int for pk in ids):
            raise ValidationError({"ids": ["Expected a list of trades' ids."]})
        trades = list(Trade.objects.visible_to(user).filter(pk__in=ids[:MOST_IDS]))
        if len(trades) != len(set(ids)):
            raise ValidationError({"ids": ["Expected trades of yours."]})
        return _regrouped(user, lambda: grouping.merge(trades))


class SplitView(APIView):
    """Cuts a closed trade in two: with the fill `{"fill": <id in /api/trades/<id>>}` a new one
    begins. DELETE undoes a split or a merge."""

    scopes: ClassVar = {"POST": TokenScope.JOURNAL, "DELETE": TokenScope.JOURNAL}

    @extend_schema(request=SplitAsked, responses=REGROUPED)
    def post(self, request: Request, trade_id: int) -> Response:
        user = user_of(request)
        trade = get_object_or_404(Trade.objects.visible_to(user), pk=trade_id)
        number = request.data.get("fill") if isinstance(request.data, dict) else None
        parts = trade.trade_fills.select_related("fill")
        is_id = isinstance(number, int) and abs(number) < 2**63
        part = parts.filter(fill_id=int(number)).first() if number and is_id else None
        if part is None:
            raise ValidationError({"fill": ["Expected the id of one of the trade's fills."]})
        return _regrouped(user, lambda: grouping.split(trade, part.fill))

    @extend_schema(responses=REGROUPED)
    def delete(self, request: Request, trade_id: int) -> Response:
        user = user_of(request)
        trade = get_object_or_404(Trade.objects.visible_to(user), pk=trade_id)
        return _regrouped(user, lambda: grouping.undo(trade))


def _regrouped(user: User, work: Callable[[], Trade | None]) -> Response:
    """202 when the book is so large that it is computed behind the scenes."""
    try:
        made = work()
    except grouping.BadGrouping as error:
        raise ValidationError({"detail": [str(error)]}) from error
    if made is None:
        settle_soon()
        return Response({"detail": "The trades are being computed again."}, status=202)
    return Response(trade_answer(one(user, made)))


class SummaryView(APIView):
    """Sums of the closed trades that match."""

    @extend_schema(responses=gives(Summary), parameters=[*FILTERS])
    def get(self, request: Request) -> Response:
        user = user_of(request)
        scope = Scope(user, parsed(request.query_params.dict()), preferences_of(user))
        return Response({"currency": user.report_currency, **sums_answer(sums(scope))})


class CalendarView(APIView):
    """Net, trades and wins of each of the user's days."""

    @extend_schema(responses=gives(Rows(CalendarDay)), parameters=[*FILTERS])
    def get(self, request: Request) -> Response:
        user, chosen = user_of(request), preferences_of(user_of(request))
        days = sums_by_day(Scope(user, parsed(request.query_params.dict()), chosen))
        rows = [{"day": day.isoformat(), **sums_answer(found)} for day, found in days.items()]
        return Response({"rows": rows, "next": None})


class ReportView(APIView):
    """`by` one of the dimensions; with `across` a matrix."""

    @extend_schema(
        responses=gives(ReportAnswer),
        parameters=[
            query("by", choices=tuple(dimensions.DIMENSIONS), help_text="Without: symbol."),
            query("across", choices=tuple(dimensions.DIMENSIONS)),
            *FILTERS,
        ],
    )
    def get(self, request: Request) -> Response:
        user, query = user_of(request), request.query_params
        chosen = preferences_of(user)
        by, across = query.get("by") or "symbol", query.get("across", "")
        for name in (by, across):
            if name and name not in dimensions.DIMENSIONS:
                known = ", ".join(dimensions.DIMENSIONS)
                raise ValidationError({"by": [f"Expected one of {known}, was {name[:40]!r}."]})
        trades = parsed(query.dict()).apply(user, chosen)
        bases = [
            {"basis": item.basis, "window": item.window, "count": item.count}
            for item in bases_of(trades)
        ]
        if across:
            columns, lines = reports.matrix(trades, by, across, chosen)
            return Response(
                {
                    "by": by,
                    "across": across,
                    "columns": columns,
                    "flow_bases": bases,
                    "rows": [
                        {"name": name, "cells": [group_answer(c) if c else None for c in cells]}
                        for name, cells in lines
                    ],
                }
            )
        groups = reports.breakdown(trades, by, chosen)
        count = reports.count_of(trades, by, groups, chosen)
        if by == "month":
            scope = Scope(user, parsed(query.dict()), chosen)
            groups = reports.by_month(groups, sums_by_day(scope))
        return Response(
            {
                "by": by,
                "count": count,
                "flow_bases": bases,
                "rows": [group_answer(g) for g in groups],
                "findings": [
                    {"text": f.text, "count": f.count, "good": f.is_good}
                    for f in _claims(user, parsed(query.dict()), chosen)
                ],
            }
        )


def _claims(user: User, trade_filter: TradeFilter, chosen: Preferences) -> list[Told]:
    """In money; none before they are computed."""
    chosen = copy.copy(chosen)
    chosen.unit = Preferences.Unit.MONEY
    kept = ask_insight(user, "findings", trade_filter, chosen)
    return [] if kept.answer is None else overview.read(kept.answer, chosen).claims


class SetupsView(APIView):
    """Setups with their rules; where one has a condition on the flow, its taken trades and what was
    missed in the last 24 hours."""

    @extend_schema(responses=gives(Rows(SetupRow)))
    def get(self, request: Request) -> Response:
        user = user_of(request)
        rows = []
        for setup in Setup.objects.visible_to(user):
            occurred = occurrences(user, setup)
            rows.append(
                {
                    "name": setup.name,
                    "rules": setup.rules,
                    "conditions": setup.conditions,
                    "taken": list(occurred.taken.values_list("pk", flat=True))
                    if occurred
                    else None,
                    "missed": [
                        {
                            "symbol": m.symbol,
                            "time": epoch(m.time),
                            "share": plain(m.share),
                            "price": plain(m.price),
                            "first_id": m.first_id,
                            "last_id": m.last_id,
                        }
                        for m in occurred.missed
                    ]
                    if occurred
                    else None,
                }
            )
        return Response({"rows": rows, "next": None})


def _lines(user: User, found: QuerySet[Trade]) -> Any:
    """In slices, so that notes come with few queries."""
    rows: list[Trade] = []
    for row in found.iterator(2000):
        rows.append(row)
        if len(rows) == 2000:
            yield from with_notes(user, rows)
            rows = []
    yield from with_notes(user, rows)
