"""An hour of the past as rows of a file of the archive, column by column."""

import polars as pl

from simulator.amounts import UNIT
from simulator.listing import SPOT, Listing
from simulator.sources.past import PastTrades


def rows(past: PastTrades, rules: Listing, opens_us: int, *, by_aggregate: bool) -> bytes:
    """CSV of the hour's trades, or of their aggregates."""
    frame = pl.DataFrame(past.columns(opens_us, by_aggregate=by_aggregate))
    price, quantity = pl.col("ticks") * rules.tick, pl.col("steps") * rules.step
    is_spot = rules.market == SPOT
    yes, no = ("True", "False") if is_spot else ("true", "false")
    maker = pl.when("makers").then(pl.lit(yes)).otherwise(pl.lit(no))
    prices = _decimal(price, rules.price_places)
    quantities = _decimal(quantity, rules.quantity_places)
    times = pl.col("times") if is_spot else pl.col("times") // 1000
    if by_aggregate:
        ids: list[pl.Expr] = [pl.col("firsts"), pl.col("lasts")]
        columns = [pl.col("ids"), prices, quantities, *ids, times, maker]
    else:
        columns = [pl.col("ids"), prices, quantities, _decimal(_quote(rules), 8), times, maker]
    if is_spot:
        columns.append(pl.lit("True"))
    named = [column.alias(str(number)) for number, column in enumerate(columns)]
    return frame.select(named).write_csv(include_header=False).encode()


def _quote(rules: Listing) -> pl.Expr:
    """Price x quantity in units of 1e-8, rounded down, within 64 bits."""
    unit, product = rules.tick * rules.step, pl.col("ticks") * pl.col("steps")
    return product * (unit // UNIT) if unit % UNIT == 0 else product * unit // UNIT


def _decimal(units: pl.Expr, places: int) -> pl.Expr:
    """Text of an amount in units of 1e-8 with so many places, which hold all of it."""
    whole = (units // UNIT).cast(pl.String)
    if not places:
        return whole
    rest = (units % UNIT) // 10 ** (8 - places)
    return pl.concat_str([whole, pl.lit("."), rest.cast(pl.String).str.zfill(places)])
