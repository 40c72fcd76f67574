"""The exchange's own candle of a minute, and whether our bar agrees with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from market.flow.bars import Bar
from market.flow.detail import Detail

# our quote sums have 16 places, the exchange's 8
QUOTE_DIGITS = 10**8


@dataclass(frozen=True)
class Kline:
    """`minute` is the open time in epoch seconds; prices and base in 1e-8, quote in 1e-8 of its
    asset; ids are -1 for a minute without trades. `trades` is -1 where only its sums can be
    compared with a tape: the candle counts single trades, the tape aggregates."""

    minute: int
    first_id: int
    last_id: int
    trades: int
    open: int
    high: int
    low: int
    close: int
    base: int
    base_buy: int
    quote: int
    quote_buy: int

    def without_trades(self) -> "Kline":
        """For a tape of aggregates: count and ids are of single trades."""
        return replace(self, trades=-1 if self.trades else 0, first_id=-1, last_id=-1)


def joined(klines: Sequence[Kline]) -> Kline:
    """Candles that follow one another as one, without count and ids."""
    traded = [kline for kline in klines if kline.trades] or list(klines[:1])
    return replace(
        traded[0],
        minute=klines[0].minute,
        trades=-1 if traded[0].trades else 0,
        first_id=-1,
        last_id=-1,
        high=max(kline.high for kline in traded),
        low=min(kline.low for kline in traded),
        close=traded[-1].close,
        base=sum(kline.base for kline in traded),
        base_buy=sum(kline.base_buy for kline in traded),
        quote=sum(kline.quote for kline in traded),
        quote_buy=sum(kline.quote_buy for kline in traded),
    )


def differences(kline: Kline, bar: Bar | None) -> list[str]:
    """Names of the figures that do not agree; a missing bar is one without trades.

    Counts, ids, prices and base sums are exact. Quote sums are exact where ours need no more than 8
    places (tick and step have so few together); else the exchange rounded: within n * 1e-8. What
    no candle tells, that the bands add up to the total, is looked at too.
    """
    ours = bar or Bar(kline.minute)
    pairs = {
        "base": (ours.base_buy + ours.base_sell, kline.base),
        "base_buy": (ours.base_buy, kline.base_buy),
    }
    if kline.trades >= 0:
        pairs["trades"] = (ours.trades, kline.trades)
    if kline.trades:
        names: tuple[str, ...] = ("open", "high", "low", "close")
        if kline.trades > 0:
            names = ("first_id", "last_id", *names)
        pairs |= {name: (getattr(ours, name), getattr(kline, name)) for name in names}
    differing = [name for name, (mine, theirs) in pairs.items() if mine != theirs]
    for name, mine, theirs in (
        ("quote", ours.quote_buy + ours.quote_sell, kline.quote),
        ("quote_buy", ours.quote_buy, kline.quote_buy),
    ):
        allowed = 0 if mine % QUOTE_DIGITS == 0 else max(kline.trades, ours.trades) * QUOTE_DIGITS
        if abs(mine - theirs * QUOTE_DIGITS) > allowed:
            differing.append(name)
    for unit in _units_of(ours):
        if (sum(unit[:6]), sum(unit[6:12])) != (ours.quote_buy, ours.quote_sell):
            differing.append("bands")
    return differing


def _units_of(bar: Bar) -> tuple[list[int], ...]:
    """The bands that it knows."""
    return {
        Detail.FULL: (bar.trade, bar.order),
        Detail.ORDER: (bar.order,),
        Detail.TOTAL: (),
    }[bar.detail]
