"""What the ledger makes of a book's material, as rows that are not saved yet."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

from journal import ledger
from journal.books.material import Material, Prices
from journal.books.prices import minute_of
from journal.ledger.regroup import Regrouped, regroup
from journal.models import Fill, Market, OpenPosition, Payment, Realized, Trade
from lib.cash import DOLLARS

PLACES = Decimal(1).scaleb(-18)
ZERO = Decimal(0)
View = Realized.View


@dataclass(frozen=True)
class Built:
    """A trade's row, its matches and the exchange's fills that it is made of."""

    row: Trade
    matches: list[Realized]
    fills: list[Fill]
    refs: list[str]


@dataclass(frozen=True)
class Results:
    """Of one book. `others` are matches of no trade: between cash, and the tax view's own."""

    trades: list[Built]
    others: list[Realized]
    payments: list[tuple[Payment, str]]
    positions: list[OpenPosition]
    problems: list[ledger.Problem]
    exchange_realized: Decimal
    moved: Decimal
    booked: Decimal


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

    def results(self) -> Results:
        computed, book = self.computed, self.book
        trades = self._own_trades()
        grouped = regroup(trades, self.material.grouping, self._times(), self.material.funding)
        built = [self._trade(trade, grouped) for trade in grouped.trades]
        contract = computed.contract(book.name) if not self.material.is_coin else None
        moved, booked = computed.currencies.get(book.name, (ZERO, ZERO))
        return Results(
            trades=built,
            others=self._others(trades),
            payments=self._payments(grouped),
            positions=[self._position(p) for p in computed.positions if self._is_own(p.asset)],
            problems=[*self.material.problems, *self._problems()],
            exchange_realized=sum(
                (b.average_realized for b in contract.books.values()) if contract else (), ZERO
            ),
            moved=rounded(moved),
            booked=rounded(booked),
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
        row = self._trade_row(trade, fills, matches, grouped.by_hand.get(trade.key, ""))
        refs = [f"{self.book.market}:{symbol}:{fill_id}" for symbol, fill_id in trade.fills]
        return Built(row, matches, fills, refs)

    def _trade_row(
        self, trade: ledger.Trade, fills: list[Fill], matches: list[Realized], by_hand: str
    ) -> Trade:
        base, quote = self._assets(trade)
        # not those of other pairs, on which it was spent or paid a fee
        own = [fill for fill in fills if fill.base == base]
        moment = trade.closed_at or trade.opened_at
        unit = self.dollars(moment)
        rate = self.rate(moment)
        other_fees = trade.fees - sum((match.fees for match in trade.matches), ZERO)
        gross = sum((match.gross for match in matches), ZERO)
        fees = sum((match.fees for match in matches), ZERO) + rounded(other_fees * unit)
        funding = rounded(trade.funding * unit)
        size = rounded(trade.entry_price * trade.quantity * unit)
        money = _sum_of([match.net_money for match in matches])
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
            quote_rate=self._quote_rate(trade),
            rate=None if rate is None else rounded(rate * unit),
            gross_money=_sum_of([match.gross_money for match in matches]),
            fees_money=_plus(
                _sum_of([match.fees_money for match in matches]),
                None if rate is None else rounded(other_fees * unit * rate),
            ),
            funding_money=None if rate is None else rounded(funding * rate),
            net_money=_plus(money, extra),
            size_money=None if rate is None else rounded(size * rate),
            exchange_realized=self._realized_by_exchange(trade, fills),
            by_hand=by_hand,
            fill_count=len(own) or len(trade.fill_ids),
            maker_share=_maker_share(own),
            digest=_digest(matches),
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

    def _realized_by_exchange(self, trade: ledger.Trade, fills: list[Fill]) -> Decimal | None:
        if self.book.market == Market.SPOT:
            return None
        closing = "SELL" if trade.direction == "LONG" else "BUY"
        booked = (f.realized for f in fills if f.side == closing and f.realized is not None)
        return rounded(sum(booked, ZERO))

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

    def _others(self, trades: Sequence[ledger.Trade]) -> list[Realized]:
        """Exchanges between cash, and what the tax view matches otherwise than the trades."""
        own = [match for match in self.computed.exchanges if self._is_own(match.asset)]
        others = [self._match(match) for match in own]
        book = self.computed.coin(self.book.name, str(self.book.account_id))
        if book is None:
            return others
        of_trades = Counter(match for trade in trades for match in trade.matches)
        of_tax = Counter(book.matches)
        if of_trades == of_tax:
            return others
        return [*others, *(self._match(match, View.TAX) for match in book.matches)]

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


def _sum_of(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """None where one of them is not known."""
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _plus(amount: Decimal | None, more: Decimal | None) -> Decimal | None:
    return None if amount is None or more is None else amount + more


def _maker_share(fills: list[Fill]) -> Decimal:
    total = sum((fill.quantity for fill in fills), ZERO)
    made = sum((fill.quantity for fill in fills if fill.is_maker), ZERO)
    return (made / total).quantize(Decimal("0.000001")) if total else ZERO


def _digest(matches: Sequence[Realized]) -> str:
    """Two lists of matches that differ anywhere have another one."""
    text = "\n".join(
        f"{m.view} {m.kind} {m.opened_by} {m.closed_by} {m.quantity} {m.gross} {m.fees} {m.apart} "
        f"{m.net_money} {m.closed_at:%s}"
        for m in matches
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def digest_of(results: Results) -> str:
    """Of what belongs to no trade."""
    payments = "\n".join(
        f"{p.kind} {p.external_id} {p.worth} {p.money} {key}" for p, key in results.payments
    )
    return hashlib.sha256((_digest(results.others) + payments).encode()).hexdigest()[:32]
