"""From an archive's rows to 1 s bars, column by column: the same bars that `market.flow.tape` makes
trade by trade, a hundred times faster. Sums are 128-bit integers, so they are exact.
"""

from collections.abc import Iterator

import polars as pl

from market.flow.bands import BANDS, BandSet
from market.flow.bars import Bar

BAND_COLUMNS = [f"{side}{band}" for side in ("buy", "sell", "count") for band in range(BANDS)]
FIGURES = [
    "open", "high", "low", "close", "trades", "first_id", "last_id", "base_buy", "base_sell",
    "quote_buy", "quote_sell", "delta_low", "delta_high",
]  # fmt: skip
NOTHING = pl.lit(0, dtype=pl.Int128)


class BarMaker:
    """Takes rows in id order and gives 1 s bars, keeping back the last second, which may go on.

    Bars come as a frame: `second`, FIGURES (scaled by 1e-8 and 1e-16 like `Bar`), `trade` and
    `order`: the packed bands. From aggregates on spot there are no single trades: `trade` is empty.
    """

    def __init__(self, bands: BandSet, ticks: int, *, has_single_trades: bool) -> None:
        self.bands = bands
        self.ticks = ticks
        self.has_single_trades = has_single_trades
        self._kept: pl.DataFrame | None = None

    def take(self, rows: pl.DataFrame) -> pl.DataFrame | None:
        if self._kept is not None:
            rows = pl.concat([self._kept, rows])
        last = rows["time"][-1] // self.ticks * self.ticks
        # what belongs to the last second stands at the end, from its first row on
        cut = rows.select((pl.col("time") >= last).arg_true().first()).item()
        self._kept = rows[cut:]
        return self._bars(rows[:cut]) if cut else None

    def finish(self) -> pl.DataFrame | None:
        kept, self._kept = self._kept, None
        return self._bars(kept) if kept is not None and kept.height else None

    def _bars(self, rows: pl.DataFrame) -> pl.DataFrame | None:
        rows = rows.filter((pl.col("price") > 0) & (pl.col("quantity") > 0))
        if not rows.height:
            return None
        rows = rows.with_columns(
            (pl.col("time") // self.ticks).alias("second"),
            (pl.col("price") * pl.col("quantity")).alias("quote"),
        )
        orders = self._orders(rows)
        if not rows["second"].is_sorted():  # times that run against ids: inside a second ids rule
            rows = rows.sort("second", maintain_order=True)
        bars = _figures(rows)
        order = self._banded(orders, "order")
        bars = bars.join(order, on="second", how="left", maintain_order="left")
        if not self.has_single_trades:
            return bars.with_columns(pl.lit("").alias("trade"))
        trade = self._banded(rows, "trade")
        return bars.join(trade, on="second", how="left", maintain_order="left")

    def _orders(self, rows: pl.DataFrame) -> pl.DataFrame:
        """One row a sweep: consecutive ids with the same time and side, summed."""
        is_new = (
            (pl.col("time") != pl.col("time").shift(1))
            | (pl.col("maker") != pl.col("maker").shift(1))
            | (pl.col("id") != pl.col("last_id").shift(1) + 1)
        )
        numbered = rows.select(
            "second", "maker", "quote", is_new.fill_null(value=True).cum_sum().alias("sweep")
        )
        return numbered.group_by("sweep").agg(
            pl.col("second", "maker").first(), pl.col("quote").sum()
        )

    def _banded(self, values: pl.DataFrame, name: str) -> pl.DataFrame:
        """(second, packed bands) of rows with `second`, `maker` and `quote`."""
        edges = [pl.lit(edge, dtype=pl.Int128) for edge in self.bands.edges]
        band = pl.sum_horizontal((pl.col("quote") >= edge).cast(pl.Int8) for edge in edges)
        sums = values.group_by("second", band.alias("band"), "maker").agg(
            pl.col("quote").sum(), pl.len().cast(pl.Int64).alias("count")
        )
        columns = []
        for at in range(BANDS):
            mine = pl.col("band") == at
            for side, maker in (("buy", False), ("sell", True)):
                chosen = pl.col("quote").filter(mine & (pl.col("maker") == maker))
                columns.append(chosen.sum().alias(f"{side}{at}"))
            columns.append(pl.col("count").filter(mine).sum().alias(f"count{at}"))
        wide = sums.group_by("second").agg(columns)
        packed = pl.concat_str([pl.col(c).cast(pl.String) for c in BAND_COLUMNS], separator=" ")
        return wide.select("second", packed.alias(name))


def _figures(rows: pl.DataFrame) -> pl.DataFrame:
    """Everything but the bands; rows are sorted by second, inside it by id."""
    signed = pl.when("maker").then(NOTHING - pl.col("quote")).otherwise(pl.col("quote"))
    rows = rows.with_columns(signed.alias("signed")).with_columns(
        pl.col("signed").cum_sum().alias("running")
    )
    bought, sold = ~pl.col("maker"), pl.col("maker")
    before = pl.col("running").first() - pl.col("signed").first()
    return rows.group_by("second", maintain_order=True).agg(
        pl.col("price").first().alias("open"),
        pl.col("price").max().alias("high"),
        pl.col("price").min().alias("low"),
        pl.col("price").last().alias("close"),
        (pl.col("last_id") - pl.col("id") + 1).sum().alias("trades"),
        pl.col("id").first().alias("first_id"),
        pl.col("last_id").last(),
        pl.col("quantity").filter(bought).sum().alias("base_buy"),
        pl.col("quantity").filter(sold).sum().alias("base_sell"),
        pl.col("quote").filter(bought).sum().alias("quote_buy"),
        pl.col("quote").filter(sold).sum().alias("quote_sell"),
        pl.min_horizontal(pl.col("running").min() - before, NOTHING).alias("delta_low"),
        pl.max_horizontal(pl.col("running").max() - before, NOTHING).alias("delta_high"),
    )


def as_bars(frame: pl.DataFrame) -> Iterator[Bar]:
    for row in frame.iter_rows(named=True):
        bar = Bar(row["second"])
        for name in FIGURES:
            setattr(bar, name, row[name])
        bar.order = [int(word) for word in row["order"].split()]
        if row["trade"]:
            bar.trade = [int(word) for word in row["trade"].split()]
        else:
            bar.lacks_trade_unit = True
        yield bar
