"""The shapes of answers: what a trade, a sum or a fill is in JSON and CSV, in pages and REST."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import IO, Any, overload

from django.http import StreamingHttpResponse

from accounts.shares import give_way
from journal.metrics.protection import Protection
from journal.metrics.undefined import Metric
from journal.models import Annotation, Realized, TradeFill
from journal.selectors import reports
from journal.selectors.sums import Sums
from journal.selectors.trades import Line
from journal.shapes.trades import (
    GroupRow,
    ProtectionAnswer,
    RealizedRow,
    SumsAnswer,
    TradeFillRow,
    TradeRow,
)
from lib.dates import to_ms
from lib.decimals import plain as exact_text
from lib.sending import Sent, Spool

FORMULAS = frozenset("=+-@")
# What most cells are: numbers, symbols and words.
HARMLESS = re.compile(r"[0-9A-Za-z][0-9A-Za-z._ ]*")
# Up to here a list stays in memory.
SMALL_BYTES = 1 << 20
# Rows of a file that are read at once, and after which it gives way to others.
PART = 250


def trade_answer(line: Line) -> TradeRow:
    trade, note = line.trade, line.note
    return {
        "id": trade.pk,
        "key": trade.key,
        "account": str(trade.account_id),
        "market": trade.market,
        "symbol": trade.symbol,
        "base": trade.base,
        "quote": trade.quote,
        "direction": trade.direction,
        "position_side": trade.position_side,
        "opened": epoch(trade.opened_at),
        "closed": epoch(trade.closed_at),
        "quantity": plain(trade.quantity),
        "entry_price": plain(trade.entry_price),
        "exit_price": plain(trade.exit_price),
        "gross": plain(trade.gross),
        "fees": plain(trade.fees),
        "funding": plain(trade.funding),
        "net": plain(trade.net),
        "gross_money": plain(trade.gross_money),
        "fees_money": plain(trade.fees_money),
        "funding_money": plain(trade.funding_money),
        "net_money": plain(trade.net_money),
        "rate": plain(trade.rate),
        "exchange_realized": plain(trade.exchange_realized),
        "percent": rounded(line.percent),
        "r": rounded(line.r),
        "r_by": line.r_by or None,
        "fills_count": trade.fill_count,
        "maker_share": plain(trade.maker_share),
        "flow": trade.flow,
        "flow_share": plain(trade.flow_share),
        "flow_window": trade.flow_window or None,
        "flow_basis": trade.flow_basis or None,
        "worst_to": plain(trade.worst_to),
        "best_to": plain(trade.best_to),
        "worst": plain(trade.worst),
        "best": plain(trade.best),
        "efficiency": plain(trade.efficiency),
        "after_5m": plain(trade.after_5m),
        "after_1h": plain(trade.after_1h),
        "slippage": plain(trade.slippage),
        "note": note.note,
        "setup": line.setup_name,
        "tags": [tag.name for tag in line.tags if tag.kind == "tag"],
        "mistakes": [tag.name for tag in line.tags if tag.kind == "mistake"],
        "emotion": note.emotion,
        "rating": note.rating,
        "planned_entry": plain(note.planned_entry),
        "initial_stop": plain(line.stop),
        "stop_by": line.stop_by or None,
        "stop_at": epoch(trade.placed_stop_at) if line.stop_by == "orders" else None,
        "target": plain(line.target),
        "stop_moves": trade.stop_moves,
        "planned_stop": plain(note.planned_stop),
        "planned_target": plain(note.planned_target),
        "reviewed": line.is_reviewed,
        "by_hand": trade.by_hand,
        "kind": trade.kind,
        "ended_by": trade.ended_by,
        "apart": trade.is_apart,
        "pairs": trade.pairs,
    }


def protection_answer(protection: Protection, note: Annotation) -> ProtectionAnswer:
    """The stops and targets that lay at the exchange while it was open, oldest first; `to` is null
    while one waits, `price` where it follows the market."""
    return {
        "stop": plain(protection.stop),
        "stop_at": epoch(protection.stop_at),
        "target": plain(protection.target),
        "target_at": epoch(protection.target_at),
        "moves": protection.moves,
        "path": [
            {
                "kind": order.kind,
                "price": plain(order.price),
                "quantity": plain(order.quantity),
                "from": epoch(order.begins),
                "to": epoch(order.ends),
                "order": order.name,
                "status": order.status,
            }
            for order in protection.path
        ],
        "stop_history": note.stop_history,
    }


def realized_answer(row: Realized) -> RealizedRow:
    return {
        "id": row.pk,
        "trade": row.trade_id,
        "account": str(row.account_id),
        "market": row.market,
        "symbol": row.symbol,
        "asset": row.asset,
        "kind": row.kind,
        "apart": plain(row.apart),
        "net_money": plain(row.net_money),
        "opened_by": row.opened_by,
        "closed_by": row.closed_by,
        "opened": epoch(row.opened_at),
        "closed": epoch(row.closed_at),
        "quantity": plain(row.quantity),
        "entry_price": plain(row.entry_price),
        "exit_price": plain(row.exit_price),
        "gross": plain(row.gross),
        "fees": plain(row.fees),
        "net": plain(row.net),
    }


def sums_answer(sums: Sums) -> SumsAnswer:
    return {
        "count": sums.count,
        "wins": sums.wins,
        "losses": sums.losses,
        "net": plain(sums.net),
        "gross": plain(sums.gross),
        "fees": plain(sums.fees),
        "funding": plain(sums.funding),
        "income": plain(sums.income),
        "results": plain(sums.results),
        "stack": plain(sums.stack),
        "apart": plain(sums.apart),
        "traded": plain(sums.traded),
        "win_rate": metric_text(sums.win_rate),
        "profit_factor": metric_text(sums.profit_factor),
        "expectancy": metric_text(sums.expectancy),
        "best": plain(sums.best),
        "worst": plain(sums.worst),
        "unpriced": sums.unpriced,
    }


def group_answer(group: reports.Group) -> GroupRow:
    return {
        "name": group.name,
        "count": group.count,
        "net": plain(group.net),
        "mean": rounded(group.mean),
        "low": rounded(group.low),
        "high": rounded(group.high),
        "win_rate": metric_text(group.win_rate),
        "win_low": plain(group.win_low),
        "win_high": plain(group.win_high),
        "profit_factor": metric_text(group.profit_factor),
        "payoff": metric_text(group.payoff),
        "mean_r": metric_text(group.mean_r),
        "r_count": group.r_count,
        "fees": plain(group.fees),
        "hold_seconds": int(group.hold.total_seconds()),
        "few": group.is_few,
    }


def fill_answer(part: TradeFill) -> TradeFillRow:
    fill, flow = part.fill, getattr(part.fill, "flow", None)
    return {
        "id": fill.pk,
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "time": epoch(fill.time),
        "side": fill.side,
        "entry": part.is_entry,
        "price": plain(fill.price),
        "quantity": plain(fill.quantity),
        "fee": plain(fill.fee),
        "fee_asset": fill.fee_asset,
        "maker": fill.is_maker,
        "flow": None
        if flow is None or not flow.basis
        else {
            "basis": flow.basis,
            "window": flow.window,
            "windows": flow.windows,
            "why": flow.why,
            "share": plain(flow.share),
            "bid": plain(flow.bid),
            "ask": plain(flow.ask),
            "day_high": plain(flow.day_high),
            "day_low": plain(flow.day_low),
            "slippage": plain(flow.slippage),
            "final": flow.is_final,
        },
    }


def metric_text(value: Metric) -> str:
    """A number to 8 places, or the word that stands for none."""
    return str(rounded(value)) if isinstance(value, Decimal) else str(value)


@overload
def rounded(value: Decimal) -> str: ...
@overload
def rounded(value: None) -> None: ...
def rounded(value: Decimal | None) -> str | None:
    return None if value is None else exact_text(value.quantize(Decimal("1e-8")))


@overload
def plain(value: Decimal) -> str: ...
@overload
def plain(value: None) -> None: ...
def plain(value: Decimal | None) -> str | None:
    """A Decimal as exact text, or null."""
    return None if value is None else exact_text(value)


@overload
def epoch(at: datetime) -> int: ...
@overload
def epoch(at: None) -> None: ...
def epoch(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def as_csv(rows: Iterator[Mapping[str, Any]], name: str) -> StreamingHttpResponse:
    """All rows into a file first, at the server's pace: no cursor and no connection is held while a
    client takes its time, and with rests while others ask. A cell that a spreadsheet would take for
    a formula is quoted."""
    file = Spool(SMALL_BYTES)
    try:
        _write_csv(rows, file)
    except BaseException:
        file.close()
        raise
    answer = StreamingHttpResponse(Sent(file), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _write_csv(rows: Iterator[Mapping[str, Any]], file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    header: list[str] = []
    for number, row in enumerate(rows):
        if not header:
            header.extend(row)
            writer.writerow(header)
        writer.writerow([_cell(row[key]) for key in header])
        if number % PART == PART - 1:
            give_way()
    text.detach()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is quoted, also behind a `;` that it may split
    cells at; a negative number is a number."""
    if not isinstance(value, str) or HARMLESS.fullmatch(value):
        return value
    is_formula = any(part.strip()[:1] in FORMULAS for part in value.split(";") if part.strip())
    if not is_formula and value[:1] not in {"\t", "\r"}:
        return value
    return value if is_number(value) else f"'{value}"


def is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
