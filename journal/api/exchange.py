"""What the exchange says of one's accounts: fills, orders, transfers, balances, positions, how far
they are known, and whether they add up."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from journal.answers import epoch, plain
from journal.api.lists import OwnList, parsed, user_of
from journal.api.parameters import ASSET, KIND, SIDE, STATUS, SYMBOL, listed, whole
from journal.models import (
    Balance,
    ConditionalOrder,
    Coverage,
    DailyBalance,
    Difference,
    Fill,
    FuturesPosition,
    Income,
    Order,
    Sync,
    Transfer,
)
from journal.selectors.causes import explain
from journal.services import valuing
from journal.shapes.exchange import (
    BalanceRow,
    ConditionalOrderRow,
    DailyBalanceRow,
    DifferenceRow,
    FillRow,
    HistoryRow,
    IncomeRow,
    OrderRow,
    Positions,
    ReportedPosition,
    SyncRow,
    TransferRow,
)
from lib.openapi import ACCOUNT, MARKET, gives, span


@listed(FillRow, ACCOUNT, MARKET, SYMBOL, SIDE, *span())
class FillsView(OwnList):
    exact = ("account", "market", "symbol", "side")

    def rows(self, user: User) -> QuerySet[Any]:
        fills: QuerySet[Any] = Fill.objects.visible_to(user).annotate(flow_share=F("flow__share"))
        return fills

    def shown(self, row: Any) -> FillRow:
        return {
            "id": row.pk,
            "account": str(row.account_id),
            "market": row.market,
            "symbol": row.symbol,
            "trade_id": row.trade_id,
            "order_id": row.order_id,
            "time": epoch(row.time),
            "side": row.side,
            "position_side": row.position_side,
            "price": plain(row.price),
            "quantity": plain(row.quantity),
            "quote_quantity": plain(row.quote_quantity),
            "fee": plain(row.fee),
            "fee_asset": row.fee_asset,
            "realized": plain(row.realized),
            "maker": row.is_maker,
            "source": row.source,
            "flow_share": plain(row.flow_share),
        }


@listed(OrderRow, ACCOUNT, MARKET, SYMBOL, SIDE, STATUS, *span())
class OrdersView(OwnList):
    exact = ("account", "market", "symbol", "side", "status")

    def rows(self, user: User) -> QuerySet[Any]:
        return Order.objects.visible_to(user)

    def shown(self, row: Order) -> OrderRow:
        return {
            "id": row.pk,
            "account": str(row.account_id),
            "market": row.market,
            "symbol": row.symbol,
            "order_id": row.order_id,
            "client_id": row.client_id,
            "time": epoch(row.time),
            "changed": epoch(row.changed_at),
            "side": row.side,
            "position_side": row.position_side,
            "type": row.type,
            "status": row.status,
            "price": plain(row.price),
            "stop_price": plain(row.stop_price),
            "quantity": plain(row.quantity),
            "executed": plain(row.executed),
            "quote_executed": plain(row.quote_executed),
            "average_price": plain(row.average_price),
            "reduce_only": row.is_reduce_only,
            "closes_position": row.closes_position,
            "original_type": row.original_type,
            "list_id": row.list_id,
            "expiry_reason": row.expiry_reason,
        }


@listed(ConditionalOrderRow, ACCOUNT, MARKET, SYMBOL, SIDE, STATUS, *span())
class ConditionalOrdersView(OwnList):
    """Conditional orders of USD-M, which the exchange keeps apart; `made_order_id` is the ordinary
    order that a trigger made."""

    exact = ("account", "market", "symbol", "side", "status")

    def rows(self, user: User) -> QuerySet[Any]:
        return ConditionalOrder.objects.visible_to(user)

    def shown(self, row: ConditionalOrder) -> ConditionalOrderRow:
        return {
            "id": row.pk,
            "account": str(row.account_id),
            "market": row.market,
            "symbol": row.symbol,
            "algo_id": row.algo_id,
            "client_id": row.client_id,
            "time": epoch(row.time),
            "changed": epoch(row.changed_at),
            "triggered": epoch(row.triggered_at),
            "side": row.side,
            "position_side": row.position_side,
            "type": row.type,
            "status": row.status,
            "trigger_price": plain(row.trigger_price),
            "price": plain(row.price),
            "quantity": plain(row.quantity),
            "closes_position": row.closes_position,
            "reduce_only": row.is_reduce_only,
            "working_type": row.working_type,
            "activate_price": plain(row.activate_price),
            "callback_rate": plain(row.callback_rate),
            "made_order_id": row.made_order_id,
            "executed": plain(row.executed),
            "average_price": plain(row.average_price),
            "reason": row.reason,
        }


@listed(TransferRow, ACCOUNT, KIND, ASSET, *span())
class TransfersView(OwnList):
    exact = ("account", "kind", "asset")

    def rows(self, user: User) -> QuerySet[Any]:
        return Transfer.objects.visible_to(user)

    def shown(self, row: Transfer) -> TransferRow:
        return {
            "id": row.pk,
            "account": str(row.account_id),
            "kind": row.kind,
            "external_id": row.external_id,
            "asset": row.asset,
            "amount": plain(row.amount),
            "fee": plain(row.fee),
            "time": epoch(row.time),
            "info": row.info,
            "source": row.source,
            "wallet": row.wallet,
        }


@listed(IncomeRow, ACCOUNT, KIND, ASSET, SYMBOL, *span())
class IncomeView(OwnList):
    exact = ("account", "kind", "asset", "symbol")

    def rows(self, user: User) -> QuerySet[Any]:
        return Income.objects.visible_to(user)

    def shown(self, row: Income) -> IncomeRow:
        return {
            "id": row.pk,
            "account": str(row.account_id),
            "kind": row.kind,
            "external_id": row.external_id,
            "asset": row.asset,
            "symbol": row.symbol,
            "amount": plain(row.amount),
            "time": epoch(row.time),
        }


class _Whole(APIView):
    """A list that is short enough to be given at once; `account` filters it."""

    def rows(self, user: User) -> QuerySet[Any]:
        raise NotImplementedError

    def shown(self, row: Any) -> Mapping[str, Any]:
        raise NotImplementedError

    def get(self, request: Request) -> Response:
        rows = self.rows(user_of(request))
        if account := parsed({"account": request.query_params.get("account", "")}).account:
            rows = rows.filter(account=account)
        return Response({"rows": [self.shown(row) for row in rows], "next": None})


@whole(BalanceRow)
class BalancesView(_Whole):
    def rows(self, user: User) -> QuerySet[Any]:
        return Balance.objects.visible_to(user)

    def shown(self, row: Balance) -> BalanceRow:
        return {
            "account": str(row.account_id),
            "wallet": row.wallet,
            "asset": row.asset,
            "free": plain(row.free),
            "locked": plain(row.locked),
            "total": plain(row.total),
            "updated": epoch(row.updated_at),
        }


@whole(DailyBalanceRow)
class DailyBalancesView(_Whole):
    def rows(self, user: User) -> QuerySet[Any]:
        return DailyBalance.objects.visible_to(user)

    def shown(self, row: DailyBalance) -> DailyBalanceRow:
        return {
            "account": str(row.account_id),
            "day": row.day.isoformat(),
            "wallet": row.wallet,
            "asset": row.asset,
            "quantity": plain(row.quantity),
            "value_usd": plain(row.value_usd),
        }


class PositionsView(APIView):
    """Open positions as the ledger has them, at the newest prices (the topic `pnl` says the same),
    and futures positions as the exchange reports them."""

    @extend_schema(responses=gives(Positions))
    def get(self, request: Request) -> Response:
        user = user_of(request)
        reported = FuturesPosition.objects.visible_to(user)
        return Response(
            {
                **valuing.as_answer(valuing.value_positions(user)),
                "reported": [_reported(row) for row in reported],
            }
        )


@whole(HistoryRow)
class CoverageView(_Whole):
    def rows(self, user: User) -> QuerySet[Any]:
        return Coverage.objects.visible_to(user)

    def shown(self, row: Coverage) -> HistoryRow:
        return {
            "account": str(row.account_id),
            "kind": row.kind,
            "market": row.market,
            "symbol": row.symbol,
            "reason": row.reason,
            "from": epoch(row.from_time),
            "to": epoch(row.to_time),
            "cursor": row.cursor,
            "rows": row.rows,
            "oldest": epoch(row.oldest),
            "complete": row.is_complete,
            "note": row.note,
            "checked": epoch(row.checked_at),
            "holes": row.holes,
            "left_out": row.left_out,
        }


@whole(SyncRow)
class SyncsView(_Whole):
    """How each account's reading stands."""

    def rows(self, user: User) -> QuerySet[Any]:
        return Sync.objects.filter(account__in=user.exchange_accounts.visible_to(user))

    def shown(self, row: Sync) -> SyncRow:
        return {
            "account": str(row.account_id),
            "state": row.state,
            "note": row.note,
            "values": row.note_values,
            "done": row.done,
            "expected": row.expected,
            "started": epoch(row.started_at),
            "finished": epoch(row.finished_at),
            "since": row.since.isoformat() if row.since else None,
            "symbols": row.symbols,
            "unreadable": {wallet: answer for wallet, (answer, _at) in row.unreadable.items()},
        }


@whole(DifferenceRow)
class ReconciliationView(_Whole):
    """`cause` is null where both agree."""

    def rows(self, user: User) -> QuerySet[Any]:
        return Difference.objects.visible_to(user)

    def shown(self, row: Difference) -> DifferenceRow:
        return {
            "account": str(row.account_id),
            "wallet": row.wallet,
            "asset": row.asset,
            "calculated": plain(row.calculated),
            "reported": plain(row.reported),
            "difference": plain(row.reported - row.calculated),
            "cause": row.cause or None,
            "explanation": explain(row) or None,
            "detail": row.detail,
            "compared": epoch(row.compared_at),
        }


def _reported(row: FuturesPosition) -> ReportedPosition:
    return {
        "account": str(row.account_id),
        "symbol": row.symbol,
        "position_side": row.position_side,
        "quantity": plain(row.quantity),
        "entry_price": plain(row.entry_price),
        "mark_price": plain(row.mark_price),
        "liquidation_price": plain(row.liquidation_price),
        "unrealized": plain(row.unrealized),
        "margin": plain(row.margin),
        "margin_asset": row.margin_asset,
        "margin_type": row.margin_type,
        "leverage": row.leverage,
        "updated": epoch(row.updated_at),
    }
