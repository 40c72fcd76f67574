"""What moved a coin without a fill: transfers, conversions and the futures wallet's lines."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Min, Q

from journal import ledger
from journal.books import incomes
from journal.books.due import HALF_AWAY
from journal.books.material import Material
from journal.books.presence import HALVES
from journal.books.prices import minute_of
from journal.models import Fill, Income, Market, Transfer
from lib.cash import DOLLARS, EARN_PREFIX, own_name

Kind = Transfer.Kind
# (kind, id) of both halves of a conversion
Name = tuple[str, str]


class Movements:
    """Adds what moved `names` to a coin book's material."""

    def __init__(self, material: Material, names: Iterable[str]) -> None:
        self._material = material
        self._names = set(names)
        self._account_id = material.book.account_id
        self._since = material.start.time if material.start is not None else None
        # symbol -> the time of its first known fill
        self._first_fills: dict[str, datetime | None] = {}
        # Earn's names of them too
        self._written = self._names | {f"{EARN_PREFIX}{name}" for name in self._names}

    def add_all(self) -> None:
        presence = self._material.presence
        mine = Q(account_id=self._account_id, asset__in=self._written)
        if self._since is not None:
            mine &= Q(time__gt=self._since)
        if presence.transfers:
            rows = Transfer.objects.filter(mine).exclude(kind__in=HALVES)
            for row in rows.order_by("time", "id"):
                self._add_transfer(row)
        if presence.converted:
            self._add_conversions()
        if presence.incomes:
            lines = Income.objects.filter(mine).exclude(kind__in=incomes.CONVERSIONS)
            for income in lines.order_by("time", "id"):
                self._add_income(income)

    def _add_transfer(self, row: Transfer) -> None:
        name = f"{row.kind}-{row.external_id}"
        if row.kind == Kind.INTERNAL:
            if "MARGIN" in row.info.upper():
                self._problem(
                    "margin_not_supported",
                    name,
                    row.asset,
                    row.amount,
                    row.time,
                    f"{row.amount} {row.asset}: {row.info}; what margin trading does "
                    "is not followed",
                )
            return
        if not row.amount:
            return
        kind = "outside" if row.kind in {Kind.DEPOSIT, Kind.WITHDRAWAL} else "income"
        self._transfer(name, row.time, row.asset, row.amount, kind, row.fee)
        if row.kind == Kind.OTHER:
            self._unknown(name, row.asset, row.amount, row.time, row.info)

    def _add_income(self, row: Income) -> None:
        """Of a contract only what was paid in this coin: its worth is in the contract's trade."""
        name = f"{row.kind}-{row.external_id}"
        if row.kind in incomes.OWN_WALLETS or not row.amount:
            return
        is_of_contract = bool(row.symbol) and (
            row.kind in incomes.OF_A_CONTRACT or row.kind in incomes.WITNESSES
        )
        if is_of_contract:
            self._add_paid_in_coin(row, name)
            return
        if row.kind in incomes.OF_A_CONTRACT or row.kind in incomes.WITNESSES:
            self._add_nameless(row, name)
            return
        kind = "outside" if row.kind in incomes.OUTSIDE else "income"
        self._transfer(name, row.time, row.asset, row.amount, kind, Decimal(0))
        if incomes.is_unknown(row.kind):
            self._unknown(name, row.asset, row.amount, row.time, row.kind)

    def _add_paid_in_coin(self, row: Income, name: str) -> None:
        """The contract's trade has its worth; here the coin comes or goes. A profit or commission
        of a contract whose fills nobody told has no other place."""
        coin = own_name(row.asset)
        if coin in DOLLARS:
            return
        kind = incomes.OF_A_CONTRACT.get(row.kind)
        if kind is not None:
            self._material.funding.append(funding_of(row, kind, {}))
            self._material.need(coin, row.time)
        elif not self._has_fills(row):
            self._transfer(name, row.time, row.asset, row.amount, "result", Decimal(0))
            self._problem(
                "result_without_fills",
                name,
                row.asset,
                row.amount,
                row.time,
                f"{row.kind} of {row.amount} {row.asset} on {row.symbol}: no fill of "
                "that time is known",
            )

    def _add_nameless(self, row: Income, name: str) -> None:
        """A statement names no contract: what it paid is realised all the same."""
        is_funding = row.kind in incomes.OF_A_CONTRACT
        self._transfer(
            name,
            row.time,
            row.asset,
            row.amount,
            "funding" if is_funding else "result",
            Decimal(0),
        )
        self._problem(
            "funding_without_position" if is_funding else "result_without_fills",
            name,
            row.asset,
            row.amount,
            row.time,
            f"{row.kind} of {row.amount} {row.asset}: of no named contract",
        )

    def _has_fills(self, row: Income) -> bool:
        if row.symbol not in self._first_fills:
            mine = Fill.objects.filter(
                account_id=self._account_id, market=Market.USDM, symbol=row.symbol
            )
            self._first_fills[row.symbol] = mine.aggregate(first=Min("time"))["first"]
        first = self._first_fills[row.symbol]
        return first is not None and first <= row.time

    def _transfer(
        self, name: str, time: datetime, asset: str, amount: Decimal, kind: str, fee: Decimal
    ) -> None:
        coin = own_name(asset)
        self._material.transfers.append(
            ledger.Transfer(
                name,
                time,
                coin,
                amount,
                kind=kind,
                fee=fee if amount < 0 else Decimal(0),
                account=str(self._account_id),
            )
        )
        self._material.need(coin, time)

    # --- conversions ----------------------------------------------------------------------------

    def _add_conversions(self) -> None:
        mine = Q(account_id=self._account_id)
        if self._since is not None:
            mine &= Q(time__gt=self._since - HALF_AWAY)
        for pair in conversions_of(mine):
            if self._since is not None and pair.time <= self._since:
                continue
            if any(own_name(row.asset) in self._names for row in pair.rows):
                self._add_pair(pair.name, pair.kind, pair.rows)

    def _add_pair(self, name: str, kind: str, rows: list[Any]) -> None:
        """Both halves; one alone came in or went out for something that nobody told."""
        given = [row for row in rows if row.amount < 0]
        received = [row for row in rows if row.amount > 0]
        if is_whole(rows):
            self._add_whole(name, kind, given, received)
            return
        for row in rows:
            if own_name(row.asset) in self._names and row.amount:
                self._transfer(
                    f"{name}-{row.asset}", row.time, row.asset, row.amount, "income", Decimal(0)
                )
                self._unknown(name, row.asset, row.amount, row.time, kind)

    def _add_whole(self, name: str, kind: str, given: list[Any], received: list[Any]) -> None:
        first, last = given[0], received[0]
        names = own_name(first.asset), own_name(last.asset)
        if names[0] == names[1] and len(given) == len(received) == 1:
            return  # into Earn or back
        rest = [*given[1:], *received[1:]]
        self._material.conversions.append(
            ledger.Conversion(
                name,
                first.time,
                names[0],
                -first.amount,
                names[1],
                last.amount,
                kind,
                account=str(self._account_id),
                others=tuple((own_name(row.asset), row.amount) for row in rest),
            )
        )
        for row in [*given, *received]:
            self._material.need(own_name(row.asset), first.time)

    # --- what its owner must know ---------------------------------------------------------------

    def _unknown(self, name: str, asset: str, amount: Decimal, time: datetime, said: str) -> None:
        self._problem(
            "unknown_income",
            name,
            asset,
            amount,
            time,
            f"{amount} {asset}: “{said}” is not known, it counts as income",
        )

    def _problem(
        self, kind: str, name: str, asset: str, amount: Decimal, time: datetime, message: str
    ) -> None:
        self._material.problems.append(
            ledger.Problem(kind, name, amount, message, asset=own_name(asset), time=time)
        )


class Pair(NamedTuple):
    """The halves of one conversion; one alone where the other was never told."""

    name: str
    kind: str
    rows: list[Any]

    @property
    def time(self) -> datetime:
        """Of what was given, where that was told."""
        return min(self.rows, key=lambda row: row.amount > 0).time  # type: ignore[no-any-return]


def is_whole(rows: list[Any]) -> bool:
    """Something went and something came."""
    return any(row.amount < 0 for row in rows) and any(row.amount > 0 for row in rows)


def conversions_of(mine: Q) -> list[Pair]:
    """By Convert, of dust, swaps, and what the exchange changes by itself, in the order of time."""
    halves: dict[tuple[Any, str, str], list[Transfer]] = {}
    for row in Transfer.objects.filter(mine, kind__in=HALVES).order_by("time", "id"):
        halves.setdefault((row.account_id, row.kind, row.external_id), []).append(row)
    pairs = [
        Pair(f"{kind}-{name}", HALVES[Kind(kind)], rows) for (_, kind, name), rows in halves.items()
    ]
    lines = Income.objects.filter(mine, kind__in=incomes.CONVERSIONS)
    waiting = [line for line in lines.order_by("time", "id") if line.amount]
    while waiting:
        line = waiting.pop(0)
        other = next((o for o in waiting if _belong(line, o)), None)
        if other is not None:
            waiting.remove(other)
        rows = [line] if other is None else [line, other]
        pairs.append(Pair(f"{line.kind}-{line.external_id}", "convert", rows))
    return pairs


def _belong(line: Income, other: Income) -> bool:
    """Lines of one transaction or moment: AUTO_EXCHANGE twice, or COIN_SWAP out and in."""
    return (
        line.account_id == other.account_id
        and line.amount * other.amount < 0
        and line.kind[:9] == other.kind[:9]
        and (line.external_id == other.external_id or line.time == other.time)
    )


def funding_of(row: Income, kind: str, rates: dict[datetime, Decimal]) -> ledger.Funding:
    """A contract's line; `rates` are by the minute of their settlement."""
    return ledger.Funding(
        id=f"{row.kind}-{row.external_id}",
        time=row.time,
        symbol=row.symbol,
        amount=row.amount,
        asset=own_name(row.asset),
        account=str(row.account_id),
        kind=kind,
        rate=rates.get(minute_of(row.time)),
    )
