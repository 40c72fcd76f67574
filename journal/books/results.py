"""What the ledger makes of a book's material, as rows that are not saved yet."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

from journal import ledger
from journal.books.carried import Carried, Totals, digest_of, grown, plus
from journal.books.gathering import StartOver
from journal.books.material import CHECKPOINT_EVERY, Material, Prices
from journal.books.prices import minute_of
from journal.ledger.checkpoints import State, TripState, encoded
from journal.ledger.regroup import Regrouped, regroup
from journal.models import Fill, Market, OpenPosition, Payment, Realized, Trade
from lib.cash import DOLLARS

PLACES = Decimal(1).scaleb(-18)
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
    of no trade: between cash, and the tax view's own (`differs`: where it has some)."""

    trades: list[Built]
    others: list[Realized]
    payments: list[tuple[Payment, str]]
    positions: list[OpenPosition]
    problems: list[ledger.Problem]
    exchange_realized: Decimal
    moved: Decimal
    booked: Decimal
    differs: bool
    since: datetime | None
    checkpoints: list[Kept]


def results_of(material: Material, prices: Prices) -> Results:
    computed = material.compute(prices)
    with localcontext(prec=60):
        return _Rows(material, prices, computed).results()


class _Rows:
    """Amounts of a contract are in the asset that it settles in: `dollars` turns them over."""

    def __init__(self, material: Material, prices: Prices, computed: ledger.Ledger) -> None:
        self.material = material
        self.prices = prices
        self.computed = computed
        self.book = material.book
        self._rates: dict[datetime, Decimal | None] = {}
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
            positions=[self._position(p) for p in computed.positions if self._is_own(p.asset)],
            problems=problems,
            exchange_realized=sum(
                (b.average_realized for b in contract.books.values()) if contract else (), ZERO
            ),
            moved=rounded(moved),
            booked=rounded(booked),
            differs=differs,
            since=self.material.start.time if self.material.start else None,
            checkpoints=self._checkpoints(built, problems, differences),
        )

    def _is_own(self, asset: str) -> bool:
        return asset == self.book.name

    def _own_trades(self) -> list[ledger.Trade]:
        return [trade for trade in self.computed.all_trades if self._is_own(trade.asset)]

    def _times(self) -> dict[tuple[str, Any], datetime]:
        return {(fill.symbol, fill.id): fill.time for fill in self.material.fills}

    # --- money ----------------------------------------------------------------------------------

    def dollars(self, time: datetime) -> Decimal:
        """Of one of the asset that the book's amounts are in."""
        if self.material.is_coin or not self.material.assets:
            return Decimal(1)
        quote = next(iter(self.material.assets.values()))[1]
        return self.prices.dollars(quote, time) or ZERO

    def rate(self, time: datetime) -> Decimal | None:
        """What a dollar was worth in the report currency in that minute."""
        minute = minute_of(time)
        if minute not in self._rates:
            unit = self.prices.dollars(self.material.currency, minute)
            self._rates[minute] = 1 / unit if unit else None
        return self._rates[minute]

    def money(self, dollars: Decimal, time: datetime) -> Decimal | None:
        rate = self.rate(time)
        return None if rate is None else rounded(dollars * rate)

    # --- trades ---------------------------------------------------------------------------------

    def _trade(self, trade: ledger.Trade, grouped: Regrouped) -> Built:
        fills = [
            known
            for symbol, fill_id in trade.fills
            if (known := self.material.known.get((symbol, fill_id))) is not None
        ]
        matches = [self._match(match) for match in trade.matches]
        base, _ = self._assets(trade)
        totals, stood = grown(
            self._before(trade),
            matches,
            [self.material.known.get(name) for name in trade.fills],
            base,
            "SELL" if trade.direction == "LONG" else "BUY",
            self._stops.get(trade.key, ()),
        )
        row = self._trade_row(trade, totals, grouped.by_hand.get(trade.key, ""))
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

    def _trade_row(self, trade: ledger.Trade, totals: Totals, by_hand: str) -> Trade:
        base, quote = self._assets(trade)
        moment = trade.closed_at or trade.opened_at
        unit = self.dollars(moment)
        rate = self.rate(moment)
        of_matches = sum((match.fees for match in trade.matches), trade.past.fees)
        other_fees = trade.fees - of_matches
        gross = totals.gross
        fees = totals.fees + rounded(other_fees * unit)
        funding = rounded(trade.funding * unit)
        size = rounded(trade.entry_price * trade.quantity * unit)
        money = totals.net_money
        extra = None if rate is None else rounded((trade.funding - other_fees) * unit * rate)
        return Trade(
            account_id=self.book.account_id,
            key=trade.key,
            kind=trade.kind,
            ended_by=trade.ended_by,
            is_apart=trade.is_apart,
            ends_older=trade.ends_older,
            pairs=list(trade.pairs),
            market=self.book.market,
            symbol=trade.symbol,
            base=base,
            quote=quote,
            position_side=trade.key.split(":")[3] if self.book.market != Market.SPOT else "BOTH",
            direction=trade.direction,
            opened_at=trade.opened_at,
            closed_at=trade.closed_at,
            quantity=rounded(trade.quantity),
            entry_price=rounded(trade.entry_price),
            exit_price=None if trade.exit_price is None else rounded(trade.exit_price),
            gross=gross,
            fees=fees,
            funding=funding,
            net=gross - fees + funding,
            quote_rate=totals.quote_rate or self._quote_rate(trade),
            rate=None if rate is None else rounded(rate * unit),
            gross_money=totals.gross_money,
            fees_money=plus(
                totals.fees_money,
                None if rate is None else rounded(other_fees * unit * rate),
            ),
            funding_money=None if rate is None else rounded(funding * rate),
            net_money=plus(money, extra),
            size_money=None if rate is None else rounded(size * rate),
            exchange_realized=None if self.book.market == Market.SPOT else rounded(totals.realized),
            by_hand=by_hand,
            fill_count=totals.own_fills or totals.fills,
            maker_share=totals.maker_share,
            digest=totals.digest,
        )

    def _assets(self, trade: ledger.Trade) -> tuple[str, str]:
        """The coin, and the dollar coin where all its pairs have the same one."""
        if self.book.market != Market.SPOT:
            return self.material.assets.get(trade.symbol, (trade.symbol, "USDT"))
        quotes = {
            self.material.assets[symbol][1]
            for symbol in trade.pairs
            if symbol in self.material.assets
        }
        only = next(iter(quotes)) if len(quotes) == 1 else ""
        return self.book.name, only if only in DOLLARS else "USD"

    def _quote_rate(self, trade: ledger.Trade) -> Decimal:
        """Dollars of one quote of the trade's first pair when it was opened."""
        _, quote = self.material.assets.get(trade.symbol, ("", "USDT"))
        if quote in DOLLARS or self.book.market != Market.SPOT:
            return Decimal(1)
        first = next((f for f in self.material.fills if f.symbol == trade.symbol), None)
        if first is not None and first.time <= trade.opened_at and first.base == trade.asset:
            known = self.prices.dollars(quote, trade.opened_at)
            return rounded(known) if known else Decimal(1)
        return Decimal(1)

    # --- matches --------------------------------------------------------------------------------

    def _match(self, match: ledger.Match, view: str = View.BOTH) -> Realized:
        unit = self.dollars(match.time)
        gross, fees = rounded(match.gross * unit), rounded(match.fees * unit)
        net = gross - fees
        rate = self.rate(match.time)
        return Realized(
            account_id=self.book.account_id,
            view=view,
            kind=match.kind,
            market=self.book.market,
            asset=match.asset,
            symbol=match.symbol or match.asset,
            opened_by=str(match.opened_by)[:100],
            closed_by=str(match.closed_by)[:100],
            opened_at=match.opened_at,
            closed_at=match.time,
            quantity=rounded(match.quantity),
            entry_price=rounded(match.entry_price * (unit or 1)),
            exit_price=rounded(match.exit_price * (unit or 1)),
            gross=gross,
            fees=fees,
            net=net,
            apart=rounded(net * match.apart),
            apart_money=None if rate is None else rounded(net * match.apart * rate),
            gross_money=None if rate is None else rounded(gross * rate),
            fees_money=None if rate is None else rounded(fees * rate),
            net_money=None if rate is None else rounded(gross * rate) - rounded(fees * rate),
        )

    def _differences(self, trades: Sequence[ledger.Trade]) -> list[ledger.Match]:
        """What the tax view matches otherwise than the trades, in this run."""
        book = self.computed.coin(self.book.name, str(self.book.account_id))
        if book is None:
            return []
        of_trades = Counter(match for trade in trades for match in trade.matches)
        of_tax = Counter(book.matches)
        return [*(of_trades - of_tax), *(of_tax - of_trades)]

    def _others(self, differs: bool) -> list[Realized]:
        """Exchanges between cash, and the whole tax view where it is another one."""
        if differs and self.material.start is not None and not self._carried.differs:
            raise StartOver  # all matches of before have to be told in both views
        own = [match for match in self.computed.exchanges if self._is_own(match.asset)]
        others = [self._match(match) for match in own]
        book = self.computed.coin(self.book.name, str(self.book.account_id))
        if not differs or book is None:
            return others
        return [*others, *(self._match(match, View.TAX) for match in book.matches)]

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
            unit = self.dollars(payment.time) if is_of_contract else Decimal(1)
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
                        money=self.money(worth, payment.time),
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

    def _position(self, position: ledger.Position) -> OpenPosition:
        symbol = position.symbol
        base, quote = self.material.assets.get(symbol, (self.book.name, "USD"))
        if self.material.is_coin:
            base = self.book.name
            if quote not in DOLLARS or symbol == self.book.name:
                symbol, quote = f"{self.book.name}USDT", "USDT"
        average = position.average_price
        return OpenPosition(
            account_id=self.book.account_id,
            market=self.book.market,
            symbol=symbol,
            position_side=position.position_side,
            base=base,
            quote=quote,
            quantity=rounded(position.quantity),
            known_quantity=rounded(position.known_quantity),
            average_price=None if average is None else rounded(average),
            realized_gross=rounded(position.realized_gross),
            fees=rounded(position.fees),
            funding=rounded(position.funding),
            trade_quantity=rounded(position.trade_quantity),
            stack_quantity=rounded(position.stack_quantity),
            cost=rounded(position.cost),
            entry_fees=rounded(position.entry_fees),
            trade_cost=rounded(position.trade_cost),
            trade_fees=rounded(position.trade_fees),
            exchange_entry=None
            if position.exchange_entry is None
            else rounded(position.exchange_entry),
        )


def rounded(value: Decimal) -> Decimal:
    """To the 18 places that PostgreSQL keeps; in a context of 60 digits."""
    with localcontext(prec=60):
        return value.quantize(PLACES, ROUND_HALF_EVEN)


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
