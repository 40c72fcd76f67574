"""What the bars of a tape must be, in Decimal, sharing nothing with the code under test."""

from collections.abc import Iterable
from decimal import Decimal, localcontext

from simulator.tape import MARKET, AggTrade, Tape, Trade

Counted = Trade | AggTrade

EDGES = [Decimal(10) ** power for power in range(2, 7)]
NAMES = ["<100", "100-1k", "1k-10k", "10k-100k", "100k-1M", ">=1M"]
UNITS = Decimal(10) ** 8


def rows(tape: Tape, first: int, last: int, of: str, market: str) -> list[Counted]:
    """What flow is made of: trades on spot, aggregates on futures (or trades, if asked)."""
    if market == "spot" or of == "trades":
        return [trade for trade in tape.between(first, last) if trade.kind == MARKET]
    return list(tape.aggregates(first, last))


def bars(
    trades: Iterable[Counted], seconds: int = 60, tick_us: int = 1
) -> dict[int, dict[str, object]]:
    """Open time in ms -> exact sums as text, bands in both units.

    A sweep is a run of consecutive ids with one time, as the market tells it (futures: in
    milliseconds, `tick_us` 1000), and one side.
    """
    length = seconds * 1_000_000
    grouped: dict[int, list[Counted]] = {}
    for trade in trades:
        grouped.setdefault(trade.time // length * seconds * 1000, []).append(trade)
    with localcontext(prec=80):
        return {start: _sums(rows, tick_us) for start, rows in grouped.items()}


def _sums(rows: list[Counted], tick_us: int) -> dict[str, object]:
    by_trade, by_order = _empty(), _empty()
    buy = sell = base_buy = base_sell = Decimal(0)
    sweep: list[Counted] = []
    for trade in rows:
        value = _value(trade)
        if trade.is_buyer_maker:
            sell, base_sell = sell + value, base_sell + Decimal(trade.quantity) / UNITS
        else:
            buy, base_buy = buy + value, base_buy + Decimal(trade.quantity) / UNITS
        _count(by_trade, value, trade.is_buyer_maker)
        is_next = bool(sweep) and trade.id == sweep[-1].id + 1
        if sweep and not (is_next and _order(sweep[-1], tick_us) == _order(trade, tick_us)):
            _count(by_order, sum(map(_value, sweep), Decimal(0)), sweep[-1].is_buyer_maker)
            sweep = []
        sweep.append(trade)
    _count(by_order, sum(map(_value, sweep), Decimal(0)), sweep[-1].is_buyer_maker)
    return {
        "trades": len(rows),
        "first_id": rows[0].id,
        "last_id": rows[-1].id,
        "open": _text(Decimal(rows[0].price) / UNITS),
        "high": _text(Decimal(max(trade.price for trade in rows)) / UNITS),
        "low": _text(Decimal(min(trade.price for trade in rows)) / UNITS),
        "close": _text(Decimal(rows[-1].price) / UNITS),
        "buy": _text(buy),
        "sell": _text(sell),
        "base_buy": _text(base_buy),
        "base_sell": _text(base_sell),
        "trade": {name: _band_text(band) for name, band in by_trade.items()},
        "order": {name: _band_text(band) for name, band in by_order.items()},
    }


def _order(trade: Counted, tick_us: int) -> tuple[int, bool]:
    return trade.time // tick_us, trade.is_buyer_maker


def _empty() -> dict[str, list[Decimal]]:
    return {name: [Decimal(0), Decimal(0), Decimal(0)] for name in NAMES}


def _value(trade: Counted) -> Decimal:
    return Decimal(trade.price) * Decimal(trade.quantity) / UNITS / UNITS


def _count(bands: dict[str, list[Decimal]], value: Decimal, is_sell: bool) -> None:
    name = NAMES[sum(value >= edge for edge in EDGES)]
    bands[name][1 if is_sell else 0] += value
    bands[name][2] += 1


def _band_text(band: list[Decimal]) -> dict[str, object]:
    return {"buy": _text(band[0]), "sell": _text(band[1]), "count": int(band[2])}


def _text(value: Decimal) -> str:
    return f"{value.normalize():f}"
