"""Trades with what their owner wrote on them, for lists and for one page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, QuerySet, Window
from django.db.models.functions import Lag, Lead

from accounts.models import User
from journal.books.notes import ref_of_key
from journal.metrics.trades import initial_risk, r_multiple
from journal.metrics.undefined import Undefined
from journal.models import Annotation, Tag, Trade
from journal.selectors.preferences import preferences_of

ZERO = Decimal(0)
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


@dataclass(frozen=True)
class Line:
    """A trade and its note; `note` is an empty one where nothing was written."""

    trade: Trade
    note: Annotation
    tags: Sequence[Tag]
    # notes of other fills of it: what was one trade each before
    others: Sequence[Annotation] = ()
    # what its owner usually risks, in dollars, where they say so
    usual_risk: Decimal | None = None

    @property
    def stop(self) -> Decimal | None:
        """The first one: as its owner says it, else as it was first placed at the exchange."""
        own: Decimal | None = self.note.initial_stop
        return self.trade.placed_stop if own is None else own

    @property
    def stop_by(self) -> str:
        """hand, orders, or nothing."""
        if self.note.initial_stop is not None:
            return "hand"
        return "" if self.trade.placed_stop is None else "orders"

    @property
    def target(self) -> Decimal | None:
        own: Decimal | None = self.note.planned_target
        return self.trade.placed_target if own is None else own

    @cached_property
    def stop_risk(self) -> Decimal | None:
        """What the first stop would have cost, in dollars; None without one, or where it is the
        entry itself."""
        if self.stop is None:
            return None
        trade = self.trade
        return initial_risk(trade.entry_price, self.stop * trade.quote_rate, trade.quantity) or None

    @property
    def r(self) -> Decimal | None:
        """Net by what was risked; None where nobody knows that."""
        risk = self.stop_risk or self.usual_risk
        if risk is None or self.trade.is_open:
            return None
        multiple = r_multiple(self.trade.net, risk)
        return None if isinstance(multiple, Undefined) else multiple

    @property
    def r_by(self) -> str:
        """What R is measured by: stop, usual, or nothing."""
        if self.stop_risk:
            return "stop"
        return "usual" if self.usual_risk else ""

    @property
    def percent(self) -> Decimal | None:
        """Net of what was put in, in percent."""
        size = self.trade.entry_price * self.trade.quantity
        share: Decimal | None = self.trade.net / size * 100 if size else None
        return share

    @property
    def risk(self) -> Decimal | None:
        """What was risked, in the report currency."""
        return self._in_currency(self.stop_risk or self.usual_risk)

    @property
    def risk_to_stop(self) -> Decimal | None:
        """The same of the first stop alone."""
        return self._in_currency(self.stop_risk)

    def _in_currency(self, dollars: Decimal | None) -> Decimal | None:
        rate: Decimal | None = self.trade.rate
        return None if dollars is None or rate is None else dollars * rate

    @property
    def tag_text(self) -> str:
        """As a field takes them."""
        return ", ".join(tag.name for tag in self.tags if tag.kind == Tag.Kind.TAG)

    @property
    def mistake_text(self) -> str:
        return ", ".join(tag.name for tag in self.tags if tag.kind == Tag.Kind.MISTAKE)

    @property
    def setup_name(self) -> str:
        return self.note.setup.name if self.note.setup else ""

    @property
    def is_reviewed(self) -> bool:
        return self.note.reviewed_at is not None


def with_notes(user: User, trades: Iterable[Trade]) -> list[Line]:
    """In three queries, however many there are."""
    rows = list(trades)
    notes: dict[str, list[Annotation]] = {}
    written = Annotation.objects.filter(user=user, trade_key__in=[row.key for row in rows])
    for note in written.order_by("pk").select_related("setup").prefetch_related("tags"):
        notes.setdefault(note.trade_key, []).append(note)
    usual = preferences_of(user).usual_risk
    return [_line(user, row, notes.get(row.key, []), usual) for row in rows]


def one(user: User, trade: Trade) -> Line:
    return with_notes(user, [trade])[0]


def _line(
    user: User, trade: Trade, notes: Sequence[Annotation], usual_risk: Decimal | None
) -> Line:
    """The note of its first fill is the trade's own; those of the others stand below it."""
    if not notes:
        note = Annotation(user=user, trade_key=trade.key)
        return Line(trade, note, [], usual_risk=usual_risk)
    opening = ref_of_key(trade.key)
    own = next((note for note in notes if note.fills[:1] == [opening]), notes[0])
    others = [note for note in notes if note.pk != own.pk]
    return Line(trade, own, list(own.tags.all()), others, usual_risk)


def neighbours(trades: "QuerySet[Trade]", trade_id: int) -> tuple[int | None, int | None]:
    """Ids before and after a trade in an ordered list; (None, None) where it is not in it. The list
    stays in PostgreSQL."""
    order = [str(name) for name in trades.query.order_by]
    listed = trades.order_by().annotate(
        number=F("pk"),
        before=Window(Lag("pk"), order_by=order),
        after=Window(Lead("pk"), order_by=order),
    )
    try:
        sql, params = listed.values("number", "before", "after").query.sql_with_params()
    except EmptyResultSet:
        return None, None
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT before, after FROM ({sql}) listed WHERE number = %s",  # noqa: S608  (Django's own)
            [*params, trade_id],
        )
        row: tuple[int | None, int | None] | None = cursor.fetchone()
    return row or (None, None)


def order_of(sort: str) -> tuple[str, str]:
    """Columns to order by; with a minus before its name the highest first."""
    name = sort.removeprefix("-")
    column = SORTS.get(name, "opened_at")
    sign = "-" if sort.startswith("-") else ""
    return f"{sign}{column}", f"{sign}pk"
