"""What the ledger makes of a book's material, as rows that are not saved yet."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from journal import ledger
from journal.books.carried import Carried, Totals, digest_of, grown
from journal.books.gathering import StartOver
from journal.books.material import CHECKPOINT_EVERY, Material, Prices
from journal.books.rates import Rates, rounded
from journal.books.rows import Rows
from journal.ledger.checkpoints import State, TripState, encoded
from journal.ledger.regroup import Regrouped, regroup
from journal.models import Fill, OpenPosition, Payment, Realized, Trade

ZERO = Decimal(0)
View = Realized.View


@dataclass(frozen=True)
class Built:
    """A trade's row; of this run its matches and the exchange's fills that it is made of. `stood`:
    its totals where a checkpoint stands, by how many matches and fills were in."""

    row: Trade
    matches: list[Realized]
    fills: list[Fill]
    refs: list[str]
    stood: dict[tuple[int, int], Totals] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """A checkpoint to be written; `is_kept`: it stays when the next one comes."""

    time: datetime
    state: bytes
    carried: Carried
    count: int
    is_kept: bool


@dataclass(frozen=True)
class Results:
    """Of one book, all of it or (with `since`) what came after that moment. `others` are matches
    of no trade: between cash, the tax view's own (`differs`: where it has some), and the tax
    report's where its owner stated costs (`has_stated`)."""

    trades: list[Built]
    others: list[Realized]
    payments: list[tuple[Payment, str]]
    positions: list[OpenPosition]
    problems: list[ledger.Problem]
    exchange_realized: Decimal
    moved: Decimal
    booked: Decimal
    differs: bool
    has_stated: bool
    since: datetime | None
    checkpoints: list[Kept]


def results_of(material: Material, prices: Prices) -> Results:
    computed = material.compute(prices)
    with localcontext(prec=60):
        return _Telling(material, prices, computed).results()


class _Telling:
    def __init__(self, material: Material, prices: Prices, computed: ledger.Ledger) -> None:
        self.material = material
        self.computed = computed
        self.book = material.book
        self._rates = Rates(material, prices)
        self._rows = Rows(material, self._rates)
        self._carried = material.start.carried if material.start else Carried({}, {}, False)
        # trade's key -> (matches, fills) where a checkpoint stands
        self._stops: dict[str, set[tuple[int, int]]] = {}
        for checkpoint in computed.checkpoints:
            for trip in _under_way(checkpoint.state):
                stop = (trip.past.matches, trip.past.fills)
                self._stops.setdefault(trip.key, set()).add(stop)

    def results(self) -> Results:
        computed, book = self.computed, self.book
        trades = self._own_trades()
        grouped = regroup(trades, self.material.grouping, self._times(), self.material.funding)
        built = [self._trade(trade, grouped) for trade in grouped.trades]
        contract = computed.contract(book.name) if not self.material.is_coin else None
        moved, booked = computed.currencies.get(book.name, (ZERO, ZERO))
        problems = [*self.material.problems, *self._problems()]
        differences = self._differences(trades)
        differs = self._carried.differs or bool(differences)
        return Results(
            trades=built,
            others=self._others(differs),
            payments=self._payments(grouped),
            positions=[self._rows.position(p) for p in computed.positions if self._is_own(p.asset)],
            problems=problems,
            exchange_realized=sum(
                (b.average_realized for b in contract.books.values()) if contract else (), ZERO
            ),
            moved=rounded(moved),
            booked=rounded(booked),
            differs=differs,
            has_stated=bool(self.material.wishes.stated),
            since=self.material.start.time if self.material.start else None,
            checkpoints=self._checkpoints(built, problems, differences),
        )

    def _is_own(self, asset: str) -> bool:
        return asset == self.book.name

    def _own_trades(self) -> list[ledger.Trade]:
        return [trade for trade in self.computed.all_trades if self._is_own(trade.asset)]

    def _times(self) -> dict[tuple[str, Any], datetime]:
        return {(fill.symbol, fill.id): fill.time for fill in self.material.fills}

    # --- trades ---------------------------------------------------------------------------------

    def _trade(self, trade: ledger.Trade, grouped: Regrouped) -> Built:
        fills = [
            known
            for symbol, fill_id in trade.fills
            if (known := self.material.known.get((symbol, fill_id))) is not None
        ]
        matches = [self._rows.match(match) for match in trade.matches]
        base, _ = self._rows.assets(trade)
        totals, stood = grown(
            self._before(trade),
            matches,
            [self.material.known.get(name) for name in trade.fills],
            base,
            "SELL" if trade.direction == "LONG" else "BUY",
            self._stops.get(trade.key, ()),
        )
        row = self._rows.trade(trade, totals, grouped.by_hand.get(trade.key, ""))
        for each in stood.values():
            each.quote_rate = row.quote_rate
        refs = [f"{self.book.market}:{symbol}:{fill_id}" for symbol, fill_id in trade.fills]
        return Built(row, matches, fills, refs, stood)

    def _before(self, trade: ledger.Trade) -> Totals:
        if not trade.past.fills:
            return Totals()
        carried = self._carried.totals.get(trade.key)
        if carried is None or carried.matches != trade.past.matches:
            raise StartOver
        return carried

    def _differences(self, trades: Sequence[ledger.Trade]) -> list[ledger.Match]:
        """What the tax view matches otherwise than the trades, in this run."""
        book = self.computed.coin(self.book.name, str(self.book.account_id))
        if book is None:
            return []
        of_trades = Counter(match for trade in trades for match in trade.matches)
        of_tax = Counter(book.tax.matches)
        return [*(of_trades - of_tax), *(of_tax - of_trades)]

    def _others(self, differs: bool) -> list[Realized]:
        """Exchanges between cash, the whole tax view where it is another one, and the tax report
        where costs were stated."""
        if differs and self.material.start is not None and not self._carried.differs:
            raise StartOver  # all matches of before have to be told in both views
        own = [match for match in self.computed.exchanges if self._is_own(match.asset)]
        others = [self._rows.match(match) for match in own]
        book = self.computed.coin(self.book.name, str(self.book.account_id))
        if book is None:
            return others
        if differs:
            others += [self._rows.match(match, View.TAX) for match in book.tax.matches]
        if book.report is not None:
            others += [self._rows.match(match, View.STATED) for match in book.report.matches]
        return others

    # --- checkpoints ----------------------------------------------------------------------------

    def _checkpoints(
        self,
        built: Sequence[Built],
        problems: Sequence[ledger.Problem],
        differences: Sequence[ledger.Match],
    ) -> list[Kept]:
        if not self.material.may_go_on or any(problem.time is None for problem in problems):
            return []
        by_key = {item.row.key: item for item in built}
        first_difference = min((match.time for match in differences), default=None)
        kept: list[Kept] = []
        before = self.material.start.count if self.material.start else 0
        for number, checkpoint in enumerate(self.computed.checkpoints):
            state = checkpoint.state
            if not self.material.is_coin and not state.sides:
                continue  # nothing was traded yet
            is_last = number + 1 == len(self.computed.checkpoints)
            count = before + self.material.row_count if is_last and not kept else 0
            has_differed = first_difference is not None and first_difference <= checkpoint.time
            is_kept = not is_last or count >= CHECKPOINT_EVERY
            carried = Carried(
                self._totals_at(state, by_key),
                self._assets_of(state),
                self._carried.differs or has_differed,
            )
            kept.append(
                Kept(checkpoint.time, encoded(state), carried, 0 if is_kept else count, is_kept)
            )
        return kept

    def _totals_at(self, state: State, by_key: dict[str, Built]) -> dict[str, Totals]:
        totals = {}
        for trip in _under_way(state):
            item = by_key.get(trip.key)
            if item is not None:  # else it was set aside before anything of it was sold
                totals[trip.key] = item.stood[trip.past.matches, trip.past.fills]
        return totals

    def _assets_of(self, state: State) -> dict[str, tuple[str, str]]:
        symbols = {symbol for trip in _under_way(state) for symbol in trip.past.pairs}
        symbols |= {side.symbol for side in state.sides}
        if state.coin is not None:
            symbols.add(state.coin.pair[0])
        assets = self.material.assets
        return {symbol: assets[symbol] for symbol in sorted(symbols) if symbol in assets}

    # --- the rest -------------------------------------------------------------------------------

    def _payments(self, grouped: Regrouped) -> list[tuple[Payment, str]]:
        """With the key of the trade that each belongs to."""
        rows = []
        for payment in self.computed.payments:
            if not self._is_payment_of_book(payment):
                continue
            is_of_contract = payment.kind in {"funding", "fee"} and not self.material.is_coin
            unit = self._rates.dollars(payment.time) if is_of_contract else Decimal(1)
            worth = rounded(payment.worth * unit)
            key = grouped.home_of(payment.key, payment.time)
            rows.append(
                (
                    Payment(
                        account_id=self.book.account_id,
                        book=self.book,
                        kind=payment.kind,
                        external_id=str(payment.id)[:100],
                        time=payment.time,
                        market=self.book.market,
                        asset=payment.asset,
                        symbol=payment.symbol,
                        quantity=rounded(payment.quantity),
                        worth=worth,
                        money=self._rates.money(worth, payment.time),
                        is_assumed=payment.is_assumed,
                    ),
                    key,
                )
            )
        return rows

    def _is_payment_of_book(self, payment: ledger.Payment) -> bool:
        return not self.material.is_coin or self._is_own(payment.asset)

    def _problems(self) -> Iterable[ledger.Problem]:
        """Those of this book's own asset: what is said of others stands in theirs."""
        for problem in self.computed.problems:
            if problem.asset in {"", self.book.name}:
                yield problem


def _under_way(state: State) -> list[TripState]:
    """Trades of a checkpoint that later rows may still change."""
    trips: list[TripState | None] = [state.coin.trade] if state.coin is not None else []
    trips += [trip for side in state.sides for trip in (side.trip, side.last)]
    return [trip for trip in trips if trip is not None]


def others_digest(results: Results) -> str:
    """Of what belongs to no trade."""
    payments = "\n".join(
        f"{p.kind} {p.external_id} {p.worth} {p.money} {key}" for p, key in results.payments
    )
    others = "\n".join(str(digest_of(row)) for row in results.others)
    return hashlib.sha256((others + payments).encode()).hexdigest()[:32]
