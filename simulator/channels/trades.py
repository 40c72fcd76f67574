"""`@trade` and `@aggTrade`."""

from functools import partial

from simulator.amounts import to_text
from simulator.audience import Audience
from simulator.listing import SPOT
from simulator.symbol import Symbol, batch_us
from simulator.tape import KINDS, AggTrade, Trade, aggregate

# An aggregate is told when a later trade shows that it is whole, at the latest after so long.
AGGREGATE_WAITS_US = 100_000


class Trades:
    def __init__(self, symbol: Symbol, audience: Audience) -> None:
        self.symbol = symbol
        self.audience = audience
        self._open: AggTrade | None = None
        self._unsaid_to = 0
        self._trade_payload = spot_trade if symbol.rules.market == SPOT else usdm_trade
        self._aggregate_payload = spot_aggregate if symbol.rules.market == SPOT else usdm_aggregate
        self._waits = max(AGGREGATE_WAITS_US, batch_us(symbol.rules.market))

    def tell(self, trades: list[Trade], event_times: list[int]) -> None:
        """New trades, oldest first; an event time of 0 is made up."""
        symbol = self.symbol
        stream = f"{symbol.head}trade"
        unsaid = min(symbol.unsaid, len(trades))
        symbol.unsaid -= unsaid
        if unsaid:
            self._unsaid_to = trades[unsaid - 1].id
        if self.audience.wants(stream):
            for trade, told in zip(trades[unsaid:], event_times[unsaid:], strict=True):
                event_time = told or trade.time + symbol.delay()
                self.audience.say(stream, partial(self._trade_payload, symbol, trade, event_time))
        self._tell_aggregates(trades)

    def tick(self, now_us: int) -> None:
        last = self._open
        if last is not None and self.symbol.time(now_us) - last.time > self._waits:
            self._open = None
            self.symbol.tape.seal()
            self._say_aggregate(last)

    def forget(self) -> None:
        self._open = None
        self._unsaid_to = 0

    def _tell_aggregates(self, trades: list[Trade]) -> None:
        waiting, aggregates = self._open, list(aggregate(trades))
        if waiting is not None and aggregates and aggregates[0].id == waiting.id:
            aggregates[0] = aggregates[0]._replace(
                quantity=aggregates[0].quantity + waiting.quantity,
                first_id=waiting.first_id,
                time=waiting.time,
            )
        elif waiting is not None:
            aggregates.insert(0, waiting)
        self._open = aggregates.pop() if aggregates else None
        for item in aggregates:
            self._say_aggregate(item)

    def _say_aggregate(self, item: AggTrade) -> None:
        if item.first_id <= self._unsaid_to:
            return
        event_time = item.time + self.symbol.delay()
        self.audience.say(
            f"{self.symbol.head}aggTrade",
            partial(self._aggregate_payload, self.symbol, item, event_time),
        )


def spot_trade(symbol: Symbol, trade: Trade, event_time: int, scale: int) -> str:
    return (
        f'{{"e":"trade","E":{event_time // scale},"s":"{symbol.rules.symbol}","t":{trade.id},'
        f'"p":"{to_text(trade.price)}","q":"{to_text(trade.quantity)}","T":{trade.time // scale},'
        f'"m":{"true" if trade.is_buyer_maker else "false"},"M":true}}'
    )


def usdm_trade(symbol: Symbol, trade: Trade, event_time: int, scale: int) -> str:
    """Undocumented, but there: with `X`, what kind of trade it is."""
    rules = symbol.rules
    return (
        f'{{"e":"trade","E":{event_time // scale},"T":{trade.time // scale},"s":"{rules.symbol}",'
        f'"t":{trade.id},"p":"{rules.price_text(trade.price)}",'
        f'"q":"{rules.quantity_text(trade.quantity)}","X":"{KINDS[trade.kind]}",'
        f'"m":{"true" if trade.is_buyer_maker else "false"}}}'
    )


def spot_aggregate(symbol: Symbol, item: AggTrade, event_time: int, scale: int) -> str:
    return (
        f'{{"e":"aggTrade","E":{event_time // scale},"s":"{symbol.rules.symbol}","a":{item.id},'
        f'"p":"{to_text(item.price)}","q":"{to_text(item.quantity)}","f":{item.first_id},'
        f'"l":{item.last_id},"T":{item.time // scale},'
        f'"m":{"true" if item.is_buyer_maker else "false"},"M":true}}'
    )


def usdm_aggregate(symbol: Symbol, item: AggTrade, event_time: int, scale: int) -> str:
    """`nq` is the quantity without RPI orders; this exchange has none."""
    rules = symbol.rules
    quantity = rules.quantity_text(item.quantity)
    return (
        f'{{"e":"aggTrade","E":{event_time // scale},"s":"{rules.symbol}","a":{item.id},'
        f'"p":"{rules.price_text(item.price)}","q":"{quantity}","nq":"{quantity}",'
        f'"f":{item.first_id},"l":{item.last_id},"T":{item.time // scale},'
        f'"m":{"true" if item.is_buyer_maker else "false"},"st":1}}'
    )
