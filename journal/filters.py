"""The filter bar: one reading of it for pages, API and exports, so that no two can disagree."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import User
from journal import ranges
from journal.models import Annotation, Market, Preferences, Trade
from journal.ranges import BadRange, Ranges
from lib.decimals import plain

DIRECTIONS = ("LONG", "SHORT")
STATES = ("closed", "open", "all")
KINDS = ("trade", "stack", "all")
NAMES = (
    "account",
    "market",
    "symbol",
    "direction",
    "flow",
    "tag",
    "setup",
    "from",
    "to",
    "state",
    "review",
    "result",
    "kind",
    *ranges.NAMES,
)
# What only a trade can be asked: money of no trade never answers to it.
OF_TRADES = ("direction", "flow", "tag", "setup", "review", "result", "kind", "ranges")


class BadFilter(ValueError):
    """What was expected, for the user."""


@dataclass(frozen=True)
class TradeFilter:
    """Empty: not filtered. Days are the user's own, both inclusive, of the closing (an open trade:
    of the opening)."""

    account: str = ""
    market: str = ""
    symbol: str = ""
    direction: str = ""
    flow: str = ""
    tag: str = ""
    setup: str = ""
    from_day: date | None = None
    to_day: date | None = None
    state: str = "closed"
    # yes or no
    review: str = ""
    # win, loss or flat
    result: str = ""
    # trades, what was taken from the stack, or both; empty: trades
    kind: str = ""
    # of net, R, holding time and hour
    ranges: Ranges = ()

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "TradeFilter":
        """Raises BadFilter."""
        if any("\0" in value for value in query.values()):
            raise BadFilter(_("expected text without a NUL"))
        trade_filter = cls(
            account=_uuid(query.get("account", "")),
            market=_one_of(query, "market", Market.values),
            symbol=query.get("symbol", "").strip().upper()[:40],
            direction=_one_of(query, "direction", DIRECTIONS),
            flow=_one_of(query, "flow", Trade.Against.values),
            tag=query.get("tag", "").strip()[:40],
            setup=query.get("setup", "").strip()[:60],
            from_day=_day(query, "from"),
            to_day=_day(query, "to"),
            state=_one_of(query, "state", STATES) or "closed",
            review=_one_of(query, "review", ("yes", "no")),
            result=_one_of(query, "result", ("win", "loss", "flat")),
            kind=_one_of(query, "kind", KINDS),
            ranges=_ranges(query),
        )
        if (
            trade_filter.from_day
            and trade_filter.to_day
            and trade_filter.from_day > trade_filter.to_day
        ):
            raise BadFilter(_("to: expected a day not before from"))
        return trade_filter

    def apply(self, user: User, chosen: Preferences) -> "QuerySet[Trade]":
        """The user's own trades that match."""
        trades: QuerySet[Trade] = Trade.objects.visible_to(user)
        if self.kind != "all":
            trades = trades.filter(kind=self.kind or Trade.Kind.TRADE)
        for name in ("account", "market", "direction", "flow"):
            if value := getattr(self, name):
                trades = trades.filter(**{name: value})
        if self.symbol:
            trades = trades.filter(Q(symbol=self.symbol) | Q(pairs__contains=[self.symbol]))
        if self.state != "all":
            trades = trades.filter(closed_at__isnull=self.state == "open")
        trades = self._in_time(trades, chosen)
        if self.result:
            trades = trades.filter(
                {"win": Q(net__gt=0), "loss": Q(net__lt=0), "flat": Q(net=0)}[self.result]
            )
        notes = Annotation.objects.filter(user=user)
        if self.tag:
            trades = trades.filter(key__in=notes.filter(tags__name=self.tag).values("trade_key"))
        if self.setup:
            trades = trades.filter(key__in=notes.filter(setup__name=self.setup).values("trade_key"))
        if self.review:
            done = notes.filter(reviewed_at__isnull=False).values("trade_key")
            trades = (
                trades.filter(key__in=done)
                if self.review == "yes"
                else trades.exclude(key__in=done)
            )
        return ranges.apply(trades, self.ranges, user.pk, chosen)

    @property
    def is_of_trades(self) -> bool:
        return any(getattr(self, name) for name in OF_TRADES) or self.state == "open"

    def with_days(self, first: date | None, last: date | None) -> "TradeFilter":
        return replace(self, from_day=first, to_day=last)

    @property
    def query(self) -> dict[str, str]:
        """As it stands in the URL; without what is not filtered."""
        fields = {
            name: str(getattr(self, name))
            for name in NAMES
            if name not in {"from", "to", "state", *ranges.NAMES} and getattr(self, name)
        }
        fields |= {name: plain(value) for name, value in self.ranges}
        if self.state != "closed":
            fields["state"] = self.state
        if self.from_day:
            fields["from"] = self.from_day.isoformat()
        if self.to_day:
            fields["to"] = self.to_day.isoformat()
        return fields

    @property
    def text(self) -> str:
        return urlencode(self.query)

    def without(self, name: str) -> str:
        """The query with one filter less."""
        return urlencode({key: value for key, value in self.query.items() if key != name})

    def _in_time(self, trades: "QuerySet[Trade]", chosen: Preferences) -> "QuerySet[Trade]":
        if self.from_day:
            start = day_start(self.from_day, chosen)
            trades = trades.filter(
                Q(closed_at__gte=start) | Q(closed_at=None, opened_at__gte=start)
            )
        if self.to_day:
            end = day_start(next_day(self.to_day), chosen)
            trades = trades.filter(Q(closed_at__lt=end) | Q(closed_at=None, opened_at__lt=end))
        return trades


def next_day(day: date) -> date:
    return day + timedelta(days=1)


def day_start(day: date, chosen: Preferences) -> datetime:
    """When a user's trading day begins."""
    return datetime.combine(day, time(chosen.day_start), tzinfo=chosen.tzinfo)


def _one_of(query: Mapping[str, str], name: str, known: "tuple[str, ...] | list[str]") -> str:
    value = query.get(name, "")
    if value and value not in known:
        raise BadFilter(
            _("%(name)s: expected one of %(known)s, was %(value)s")
            % {"name": name, "known": ", ".join(known), "value": repr(value[:40])}
        )
    return value


def _ranges(query: Mapping[str, str]) -> Ranges:
    try:
        return ranges.parse(query)
    except BadRange as error:
        raise BadFilter(str(error)) from error


def _day(query: Mapping[str, str], name: str) -> date | None:
    value = query.get(name, "")
    if not value:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError as error:
        raise BadFilter(
            _("%(name)s: expected a day such as 2026-11-21, was %(value)s")
            % {"name": name, "value": repr(value[:40])}
        ) from error
    if not 2009 <= day.year <= 2100:
        raise BadFilter(
            _("%(name)s: expected a day from 2009 to 2100, was %(value)s")
            % {"name": name, "value": value}
        )
    return day


def _uuid(text: str) -> str:
    if not text:
        return ""
    try:
        return str(UUID(text))
    except ValueError as error:
        raise BadFilter(_("account: expected an account's id")) from error
