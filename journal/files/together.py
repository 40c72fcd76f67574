"""Trades out of the statement's rows of one second. What goes in and out of each coin is exact;
where the rows do not say which fills belong together they are told as one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from journal.checking import check_fill
from journal.faults import Bad
from journal.files import operations
from journal.files.found import FoundFill, StatementRow
from journal.files.pairs import Pairs, pair_of

ZERO = Decimal(0)
PRICE, PART = Decimal("1e-12"), Decimal("1e-8")
# (kind of transfer, its rows)
Others = list[tuple[str, list[StatementRow]]]


@dataclass
class Exchange:
    """One coin came for another."""

    came: list[StatementRow]
    went: list[StatementRow]
    # asset -> what was paid
    fees: dict[str, Decimal] = field(default_factory=dict)
    fee_rows: list[StatementRow] = field(default_factory=list)

    @property
    def brought(self) -> str:
        return self.came[0].asset

    @property
    def spent(self) -> str:
        return self.went[0].asset

    @property
    def rows(self) -> list[StatementRow]:
        return [*self.came, *self.went, *self.fee_rows]


def trades_of(rows: Sequence[StatementRow], pairs: Pairs) -> tuple[list[FoundFill], Others]:
    """(fills, rows that make none): legs whose pairs cannot be told apart are one conversion,
    single legs and fees keep their amounts as `other`."""
    fee_rows = [row for row in rows if operations.plain(row.operation) in operations.FEES]
    legs = [row for row in rows if operations.plain(row.operation) in operations.LEGS]
    exchanges, others = [], []
    for family in _families(legs):
        own_exchanges = _exchanges(family)
        exchanges += own_exchanges
        used = {id(row) for exchange in own_exchanges for row in exchange.rows}
        left = [row for row in family if id(row) not in used]
        if any(row.amount > 0 for row in left) and any(row.amount < 0 for row in left):
            others.append(("convert", left))
        else:
            others += [("other", [row]) for row in left]
    others += [("other", [row]) for row in fee_rows if not _paid(row, exchanges)]
    fills = []
    for exchange in exchanges:
        try:
            fills += _fills(exchange, pairs)
        except Bad:
            others.append(("convert", [*exchange.came, *exchange.went]))
            others += [("other", [row]) for row in exchange.fee_rows]
    return fills, others


def _families(legs: Sequence[StatementRow]) -> list[list[StatementRow]]:
    """Purchases and sales by the newer names, and what the older ones leave open."""
    bought, sold, old = [], [], []
    for row in legs:
        name = operations.plain(row.operation)
        if name in operations.BOUGHT | operations.SPENT:
            bought.append(row)
        elif name in operations.SOLD | operations.EARNED:
            sold.append(row)
        else:
            old.append(row)
    return [bought, sold, *_old_families(old)]


def _old_families(legs: list[StatementRow]) -> list[list[StatementRow]]:
    """`Buy` with what left, `Sell` with what came, where both happened in one second."""
    names = {operations.plain(row.operation) for row in legs}
    if names != operations.OLD_LEGS:
        return [legs]
    buys: list[StatementRow] = []
    sales: list[StatementRow] = []
    for row in legs:
        name = operations.plain(row.operation)
        is_buy = name == "buy" or (name == operations.RELATED and row.amount < 0)
        (buys if is_buy else sales).append(row)
    return [buys, sales]


def _exchanges(legs: Sequence[StatementRow]) -> list[Exchange]:
    """Empty where it cannot be told what came for what."""
    came = _by_coin(row for row in legs if row.amount > 0)
    went = _by_coin(row for row in legs if row.amount < 0)
    if len(came) == 1 and len(went) == 1 and set(came) != set(went):
        return [Exchange(next(iter(came.values())), next(iter(went.values())))]
    if len(came) == 2 and set(came) == set(went):
        one, other = came
        return [Exchange(came[one], went[other]), Exchange(came[other], went[one])]
    neighbours = [
        (one, other) if one.amount > 0 else (other, one)
        for one, other in zip(legs[::2], legs[1::2], strict=False)
    ]
    if len(legs) % 2 or not all(
        a.amount > 0 > b.amount and a.asset != b.asset for a, b in neighbours
    ):
        return []
    by_pair: dict[tuple[str, str], Exchange] = {}
    for came_row, went_row in neighbours:
        known = by_pair.setdefault((came_row.asset, went_row.asset), Exchange([], []))
        known.came.append(came_row)
        known.went.append(went_row)
    return list(by_pair.values())


def _by_coin(rows: Iterable[StatementRow]) -> dict[str, list[StatementRow]]:
    by_coin: dict[str, list[StatementRow]] = {}
    for row in rows:
        by_coin.setdefault(row.asset, []).append(row)
    return by_coin


def _paid(row: StatementRow, exchanges: list[Exchange]) -> bool:
    """A fee is taken from what comes; in any other coin it is the first exchange's."""
    if not exchanges:
        return False
    home = next((exchange for exchange in exchanges if exchange.brought == row.asset), exchanges[0])
    home.fees[row.asset] = home.fees.get(row.asset, ZERO) - row.amount
    home.fee_rows.append(row)
    return True


def _fills(exchange: Exchange, pairs: Pairs) -> list[FoundFill]:
    """One, or one a coin that fees were paid in. Raises Bad."""
    base, quote = _pair(exchange, pairs)
    is_buy = base == exchange.brought
    came = sum((row.amount for row in exchange.came), ZERO)
    went = -sum((row.amount for row in exchange.went), ZERO)
    quantity, value = (came, went) if is_buy else (went, came)
    fees = [(fee, coin) for coin, fee in exchange.fees.items() if fee] or [(ZERO, "")]
    fills = []
    for number, (fee, coin) in enumerate(fees):
        share = _share(quantity, len(fees), number), _share(value, len(fees), number)
        price = (value / quantity).quantize(PRICE)
        check_fill(
            symbol=base + quote,
            base=base,
            quote=quote,
            side="BUY",
            position_side="BOTH",
            price=price,
            quantity=share[0],
            value=share[1],
            fee=fee,
            fee_asset=coin,
        )
        fills.append(
            FoundFill(
                exchange.rows[0].place,
                "spot",
                base + quote,
                base,
                quote,
                "BUY" if is_buy else "SELL",
                price,
                share[0],
                share[1],
                fee,
                coin,
                from_statement=True,
            )
        )
    return fills


def _share(amount: Decimal, parts: int, number: int) -> Decimal:
    """Parts that add up exactly."""
    each = (amount / parts).quantize(PART)
    return each if number else amount - each * (parts - 1)


def _pair(exchange: Exchange, pairs: Pairs) -> tuple[str, str]:
    names = {id(row): operations.plain(row.operation) for row in exchange.rows}
    came = {names[id(row)] for row in exchange.came}
    went = {names[id(row)] for row in exchange.went}
    if came <= operations.BOUGHT or went == {operations.RELATED}:
        return exchange.brought, exchange.spent
    if went <= operations.SOLD or came == {operations.RELATED}:
        return exchange.spent, exchange.brought
    return pair_of(exchange.brought, exchange.spent, "spot", pairs)
