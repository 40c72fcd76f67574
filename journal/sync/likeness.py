"""One row, whichever door: how the doors recognise each other's fills, transfers and income, in any
order. The exchange's own id wins; two equal rows are two."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db.models import Max

from accounts.models import ExchangeAccount
from journal.files.making import FILE
from journal.files.operations import FEES, LEGS, plain
from journal.models import Fill, Income, ManualFill, Market, Transfer

# The exchange's books and its exports write one movement minutes apart at most.
MINUTES_APART = timedelta(minutes=15)
# Below every id of the exchange's; the second counts in steps of this many.
LOWEST, IN_A_SECOND = -(2**62), 2**20
SECOND = timedelta(seconds=1)
# operations of the statement that no list of the exchange's API tells
ONLY_STATEMENT = (
    "p2p",
    "pay",
    "gift",
    "card",
    "fiat",
    "subscription",
    "redemption",
    "crypto box",
    "buy crypto",
)
T = TypeVar("T")
U = TypeVar("U")


# --- fills --------------------------------------------------------------------------------------


def second_of(time: datetime) -> datetime:
    return time.replace(microsecond=0)


def of_fill(row: Fill | ManualFill) -> Hashable:
    """Market, symbol, side, second, price and quantity as values."""
    return (
        row.market,
        row.symbol,
        row.side,
        second_of(row.time),
        row.price.normalize(),
        row.quantity.normalize(),
    )


def of_second(row: Fill | ManualFill) -> Hashable:
    """What a fill of the statement stands for: all of one symbol, side and second."""
    return row.market, row.symbol, row.side, second_of(row.time)


def pair_up(
    rows: Sequence[T], known: Iterable[U], like: Callable[[T | U], Hashable]
) -> list[tuple[T, U]]:
    """(row, the known one that it is), each known one once."""
    waiting: dict[Hashable, list[U]] = defaultdict(list)
    for item in known:
        waiting[like(item)].append(item)
    for items in waiting.values():
        items.reverse()
    pairs = []
    for row in rows:
        if waiting[like(row)]:
            pairs.append((row, waiting[like(row)].pop()))
    return pairs


def known_fills(account: ExchangeAccount, rows: Sequence[Fill], **only: object) -> list[Fill]:
    """Of the same symbols, sides and seconds, oldest first; `only` narrows them."""
    seconds = {of_second(row) for row in rows}
    fills = Fill.objects.filter(**_span(account, rows), **only)
    ordered = fills.order_by("time", "trade_id").iterator(5000)
    return [row for row in ordered if of_second(row) in seconds]


def known_by_hand(account: ExchangeAccount, rows: Sequence[Fill]) -> list[ManualFill]:
    seconds = {of_second(row) for row in rows}
    fills = ManualFill.objects.filter(**_span(account, rows)).order_by("time", "pk")
    return [row for row in fills if of_second(row) in seconds]


def _span(account: ExchangeAccount, rows: Sequence[Fill]) -> dict[str, Any]:
    times = [row.time for row in rows]
    return {
        "account": account,
        "market__in": {row.market for row in rows},
        "symbol__in": {row.symbol for row in rows},
        "time__gte": second_of(min(times)),
        "time__lt": second_of(max(times)) + SECOND,
    }


def give_ids(account: ExchangeAccount, rows: Sequence[Fill]) -> None:
    """Ids below zero that run as time does; `rows` are in their order."""
    homes: dict[tuple[str, str, int], list[Fill]] = defaultdict(list)
    for row in rows:
        homes[row.market, row.symbol, int(row.time.timestamp())].append(row)
    if not homes:
        return
    taken = _taken_ids(account, rows)
    for (market, symbol, second), fills in homes.items():
        first = LOWEST + second * IN_A_SECOND
        next_id = max(first, taken.get((market, symbol, second), first - 1) + 1)
        for number, row in enumerate(fills):
            row.trade_id = next_id + number


def _taken_ids(account: ExchangeAccount, rows: Sequence[Fill]) -> dict[tuple[str, str, int], int]:
    """The highest id below zero of each symbol and second."""
    times = [row.time for row in rows]
    fills = Fill.objects.filter(
        account=account,
        trade_id__lt=0,
        time__gte=second_of(min(times)),
        time__lt=second_of(max(times)) + SECOND,
    )
    highest = fills.values_list("market", "symbol", "time").annotate(Max("trade_id")).order_by()
    taken: dict[tuple[str, str, int], int] = {}
    for market, symbol, time, trade_id in highest:
        key = market, symbol, int(time.timestamp())
        taken[key] = max(taken.get(key, trade_id), trade_id)
    return taken


# --- transfers ----------------------------------------------------------------------------------


def is_brought(row: Transfer) -> bool:
    """By a user's file; the exchange's own files have its ids."""
    return row.external_id.startswith(FILE)


def teller_of(row: Transfer) -> str:
    """Who says it: the exchange, or one kind of export."""
    return row.external_id.split("-")[1] if is_brought(row) else "exchange"


def may_be_same(row: Transfer, other: Transfer) -> bool:
    """Told by two, of one kind, wallet, coin and amount, within minutes."""
    tellers = {teller_of(row), teller_of(other)}
    if len(tellers) < 2 or abs(row.time - other.time) > MINUTES_APART:
        return False
    told_once = any(
        word in plain(item.info)
        for item in (row, other)
        for word in ONLY_STATEMENT
        if teller_of(item) == "statement"
    )
    return not told_once


def of_transfer(row: Transfer) -> Hashable:
    """The wallet counts between wallets alone: elsewhere the tellers name it differently."""
    wallet = row.wallet if row.kind == Transfer.Kind.INTERNAL else ""
    return row.kind, wallet, row.asset, row.amount.normalize()


def is_leg(row: Transfer) -> bool:
    """A statement's leg or fee of a trade, which could not be put together."""
    return teller_of(row) == "statement" and plain(row.info) in LEGS | FEES


def legs_of(account: ExchangeAccount, fills: Sequence[Fill]) -> list[tuple[Transfer, Fill]]:
    """(such a leg, the fill that tells it): of the same second, in one of the fill's coins."""
    spot = [row for row in fills if row.market == Market.SPOT and not row.from_statement]
    if not spot:
        return []
    times = [row.time for row in spot]
    legs = Transfer.objects.filter(
        account=account,
        external_id__startswith=f"{FILE}statement",
        time__gte=second_of(min(times)),
        time__lt=second_of(max(times)) + SECOND,
    )
    return told_by_fills(legs, spot)


def told_by_fills(legs: Iterable[Transfer], fills: Sequence[Fill]) -> list[tuple[Transfer, Fill]]:
    homes = {
        (second_of(fill.time), coin): fill
        for fill in fills
        for coin in (fill.base, fill.quote, fill.fee_asset)
    }
    pairs = ((leg, homes.get((second_of(leg.time), leg.asset))) for leg in legs if is_leg(leg))
    return [(leg, fill) for leg, fill in pairs if fill is not None]


def nearest(rows: Sequence[Transfer], known: Iterable[Transfer]) -> list[tuple[Transfer, Transfer]]:
    """(row, the known one that it is), nearest first, each once."""
    waiting: dict[Hashable, list[Transfer]] = defaultdict(list)
    for item in known:
        waiting[of_transfer(item)].append(item)
    near = [
        (abs(row.time - item.time), number, row, item)
        for number, row in enumerate(rows)
        for item in waiting.get(of_transfer(row), ())
        if may_be_same(row, item)
    ]
    near.sort(key=lambda pair: pair[:2])
    pairs, used = [], set()
    for _apart, _number, row, item in near:
        if id(row) not in used and id(item) not in used:
            used |= {id(row), id(item)}
            pairs.append((row, item))
    return pairs


def batches(
    rows: Sequence[Transfer],
    known: Iterable[Transfer],
    pairs: Sequence[tuple[Transfer, Transfer]],
) -> list[tuple[Transfer, Transfer]]:
    """What came for a batch of dust: the exchange tells it coin by coin, the statement as one sum.
    Where every coin of a file's batch that left has its pair, what came for them has one too."""
    partner = {id(one): other for pair in pairs for one, other in (pair, pair[::-1])}
    groups: dict[str, list[Transfer]] = defaultdict(list)
    fresh = {id(row) for row in rows}
    for item in (*rows, *known):
        if item.kind == Transfer.Kind.DUST and is_brought(item):
            groups[item.external_id].append(item)
    more = []
    for items in groups.values():
        left = [item for item in items if item.amount < 0]
        if left and all(id(item) in partner for item in left):
            other = partner[id(left[0])]
            more += [
                (item, other) if id(item) in fresh else (other, item)
                for item in items
                if item.amount > 0 and id(item) not in partner
            ]
    return more


# --- income -------------------------------------------------------------------------------------


def of_income(row: Income) -> Hashable:
    return row.kind, row.asset, row.amount.normalize(), second_of(row.time)
