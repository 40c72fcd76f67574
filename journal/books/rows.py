"""A ledger's trade, match or position as the row that is kept of it, unsaved."""

from decimal import Decimal

from journal import ledger
from journal.books.carried import Totals, plus
from journal.books.material import Material
from journal.books.rates import Rates, rounded
from journal.models import Market, OpenPosition, Realized, Trade
from lib.cash import DOLLARS


class Rows:
    """Of one book: amounts in dollars, beside them the same in the report currency."""

    def __init__(self, material: Material, rates: Rates) -> None:
        self._material = material
        self._rates = rates
        self._book = material.book

    def trade(self, trade: ledger.Trade, totals: Totals, by_hand: str) -> Trade:
        base, quote = self.assets(trade)
        moment = trade.closed_at or trade.opened_at
        unit = self._rates.dollars(moment)
        rate = self._rates.rate(moment)
        of_matches = sum((match.fees for match in trade.matches), trade.past.fees)
        other_fees = trade.fees - of_matches
        gross = totals.gross
        fees = totals.fees + rounded(other_fees * unit)
        funding = rounded(trade.funding * unit)
        size = rounded(trade.entry_price * trade.quantity * unit)
        money = totals.net_money
        is_contract = self._book.market != Market.SPOT
        extra = None if rate is None else rounded((trade.funding - other_fees) * unit * rate)
        return Trade(
            account_id=self._book.account_id,
            key=trade.key,
            kind=trade.kind,
            ended_by=trade.ended_by,
            is_apart=trade.is_apart,
            ends_older=trade.ends_older,
            pairs=list(trade.pairs),
            market=self._book.market,
            symbol=trade.symbol,
            base=base,
            quote=quote,
            position_side=trade.key.split(":")[3] if is_contract else "BOTH",
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
            exchange_realized=None
            if self._book.market == Market.SPOT
            else rounded(totals.realized),
            by_hand=by_hand,
            fill_count=totals.own_fills or totals.fills,
            maker_share=totals.maker_share,
            digest=totals.digest,
        )

    def assets(self, trade: ledger.Trade) -> tuple[str, str]:
        """The coin, and the dollar coin where all its pairs have the same one."""
        if self._book.market != Market.SPOT:
            return self._material.assets.get(trade.symbol, (trade.symbol, "USDT"))
        quotes = {
            self._material.assets[symbol][1]
            for symbol in trade.pairs
            if symbol in self._material.assets
        }
        only = next(iter(quotes)) if len(quotes) == 1 else ""
        return self._book.name, only if only in DOLLARS else "USD"

    def _quote_rate(self, trade: ledger.Trade) -> Decimal:
        """Dollars of one quote of the trade's first pair when it was opened."""
        _, quote = self._material.assets.get(trade.symbol, ("", "USDT"))
        if quote in DOLLARS or self._book.market != Market.SPOT:
            return Decimal(1)
        first = next((f for f in self._material.fills if f.symbol == trade.symbol), None)
        if first is not None and first.time <= trade.opened_at and first.base == trade.asset:
            known = self._rates.quote(quote, trade.opened_at)
            return rounded(known) if known else Decimal(1)
        return Decimal(1)

    def match(self, match: ledger.Match, view: str = Realized.View.BOTH) -> Realized:
        unit = self._rates.dollars(match.time)
        gross, fees = rounded(match.gross * unit), rounded(match.fees * unit)
        net = gross - fees
        rate = self._rates.rate(match.time)
        return Realized(
            account_id=self._book.account_id,
            view=view,
            kind=match.kind,
            market=self._book.market,
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

    def position(self, position: ledger.Position) -> OpenPosition:
        symbol = position.symbol
        base, quote = self._material.assets.get(symbol, (self._book.name, "USD"))
        if self._material.is_coin:
            base = self._book.name
            if quote not in DOLLARS or symbol == self._book.name:
                symbol, quote = f"{self._book.name}USDT", "USDT"
        average = position.average_price
        return OpenPosition(
            account_id=self._book.account_id,
            market=self._book.market,
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
