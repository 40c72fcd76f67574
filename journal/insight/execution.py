"""The execution coach: limit or market, per symbol and hour."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from journal.insight.question import Made, Question
from journal.metrics.execution import (
    LIMIT,
    MARKET,
    WAIT_SECONDS,
    Entry,
    Saved,
    advise,
    by_limit,
    by_market,
)
from journal.metrics.traits import hours
from journal.models import Fill, Order, TradeFill
from lib.dates import to_seconds
from market.models import Instrument
from market.selectors.moments import SECOND, Moments

MOST_TRADES = 3000
WAITED = timedelta(days=7)
Key = tuple[str, str]
# an own order: account, market, symbol, id
Name = tuple[object, str, str, int]


@dataclass(frozen=True)
class Entered:
    """The entry fills of one order; `at` is when it was made, so far as that is known."""

    trade: int
    fills: Sequence[Fill]
    at: datetime

    @property
    def is_maker(self) -> bool:
        return self.fills[0].is_maker

    @property
    def price(self) -> float:
        quantity = sum(fill.quantity for fill in self.fills)
        return float(sum(fill.price * fill.quantity for fill in self.fills) / quantity)


@dataclass
class Looked:
    saved: dict[tuple[str, str, str], dict[int, list[Saved]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    untold: Counter[str] = field(default_factory=Counter)
    orders: int = 0

    def add(self, way: str, symbol: str, hour: str, trade: int, saved: Saved) -> None:
        for by, group in (("all", ""), ("symbol", symbol), ("hours", hour)):
            self.saved[way, by, group][trade].append(saved)


def compute(question: Question) -> Made:
    trades = list(question.trades.order_by("-closed_at", "-pk").values_list("pk", flat=True))
    trades = trades[:MOST_TRADES]
    parts = TradeFill.objects.filter(trade__in=trades, is_entry=True).select_related("fill__flow")
    rates, looked, zone = _fee_rates(question), Looked(), question.chosen.tzinfo
    by_market_: dict[Key, list[Entered]] = defaultdict(list)
    for entered in _orders(list(parts)):
        by_market_[entered.fills[0].market, entered.fills[0].symbol].append(entered)
    for done, (key, orders) in enumerate(by_market_.items()):
        question.tell(done, len(by_market_))
        for entered, saved, why in _saved(key, orders, rates):
            looked.orders += 1
            if saved is None:
                looked.untold[why] += 1
                continue
            way = LIMIT if entered.is_maker else MARKET
            hour = hours(entered.at.astimezone(zone).hour)
            looked.add(way, key[1], hour, entered.trade, saved)
    rows = []
    for (way, by, group), by_trade in sorted(looked.saved.items()):
        [advice] = advise({group: [one for some in by_trade.values() for one in some]})
        rows.append({"way": way, "by": by, **asdict(advice)})
    return Made(
        {"orders": looked.orders, "untold": dict(looked.untold), "rows": rows},
        {
            (f"execution {way} {by}", group): [pk for pk in trades if pk in by_trade][::-1]
            for (way, by, group), by_trade in looked.saved.items()
        },
    )


def _orders(parts: Sequence[TradeFill]) -> list[Entered]:
    """Fills without an order's id stand alone; an order that was both maker and taker is two."""
    by_order: dict[object, list[TradeFill]] = defaultdict(list)
    for part in parts:
        fill = part.fill
        number = fill.order_id if fill.order_id > 0 else -fill.pk
        by_order[
            part.trade_id, fill.account_id, fill.market, fill.symbol, number, fill.is_maker
        ].append(part)
    made = _made_at([part.fill for some in by_order.values() for part in some])
    entered = []
    for some in by_order.values():
        some.sort(key=lambda part: part.fill.time)
        first = some[0].fill
        at = made.get(_name(first), first.time) if first.is_maker else first.time
        entered.append(Entered(some[0].trade_id, [part.fill for part in some], at))
    return entered


def _name(fill: Fill) -> Name:
    return fill.account_id, fill.market, fill.symbol, fill.order_id


def _made_at(fills: Sequence[Fill]) -> Mapping[Name, datetime]:
    """When the orders of makers' fills were made, where the exchange told it."""
    makers = [fill for fill in fills if fill.is_maker and fill.order_id > 0]
    if not makers:
        return {}
    rows = Order.objects.filter(
        account__in={fill.account_id for fill in makers},
        order_id__in={fill.order_id for fill in makers},
        time__gte=min(fill.time for fill in makers) - WAITED,
    )
    return {
        (account, market, symbol, number): time
        for account, market, symbol, number, time in rows.values_list(
            "account_id", "market", "symbol", "order_id", "time"
        )
    }


def _fee_rates(question: Question) -> dict[tuple[str, bool], float]:
    """One's own middle fee of makers and takers on each market, as a share of the value: of the
    newest fills that paid in the quote coin or, of purchases, in the base."""
    shares: dict[tuple[str, bool], list[float]] = defaultdict(list)
    newest = Fill.objects.visible_to(question.user).order_by("-time")[:2000]
    for fill in newest:
        if fill.fee_asset == fill.quote and fill.quote_quantity:
            shares[fill.market, fill.is_maker].append(float(fill.fee / fill.quote_quantity))
        elif fill.fee_asset == fill.base:
            shares[fill.market, fill.is_maker].append(float(fill.fee / fill.quantity))
    return {key: statistics.median(values) for key, values in shares.items()}


def _saved(
    key: Key, orders: Sequence[Entered], rates: Mapping[tuple[str, bool], float]
) -> list[tuple[Entered, Saved | None, str]]:
    market, symbol = key
    instrument = Instrument.objects.filter(
        venue=settings.VENUE, market=market, symbol=symbol
    ).first()
    if instrument is None:
        return [(entered, None, "no_market") for entered in orders]
    taker = rates.get((market, False))
    maker = rates.get((market, True), taker)
    if taker is None or maker is None:
        return [(entered, None, "no_fees") for entered in orders]
    # the second before it was made tells the best prices then; what is behind begins a second later
    seconds = [to_seconds(entered.at) for entered in orders]
    moments = Moments(instrument, min(seconds) - 1, max(seconds) + WAIT_SECONDS + 1)
    before = moments.at(SECOND, [at - 1 for at in seconds])
    later = moments.at(SECOND, [at + WAIT_SECONDS for at in seconds])
    extremes = moments.extremes([at + 1 for at in seconds], WAIT_SECONDS)
    saved: list[tuple[Entered, Saved | None, str]] = []
    for entered, at in zip(orders, seconds, strict=True):
        moment = before.get(at - 1)
        if moment is None:
            saved.append((entered, None, "not_known"))
            continue
        if not moment.bid or not moment.ask:
            saved.append((entered, None, "no_best_prices"))
            continue
        is_buy = entered.fills[0].side == "BUY"
        near, far = (moment.bid, moment.ask) if is_buy else (moment.ask, moment.bid)
        entry = Entry(1 if is_buy else -1, entered.price, near, far, maker, taker)
        if entered.is_maker:
            saved.append((entered, by_market(entry), ""))
        elif at + WAIT_SECONDS not in later:
            saved.append((entered, None, "not_known"))
        else:
            price = later[at + WAIT_SECONDS].price
            low, high = extremes.get(at + 1, (price, price))
            saved.append((entered, by_limit(entry, low, high, price), ""))
    return saved
