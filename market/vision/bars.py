"""From an archive's rows to bars, column by column: the same bars that `market.flow.tape` makes
trade by trade, a hundred times faster. Sums are 128-bit integers, so they are exact.
"""

import polars as pl

from market.flow.bands import BANDS, BandSet

BAND_COLUMNS = [f"{side}{band}" for side in ("buy", "sell", "count") for band in range(BANDS)]
FIGURES = [
    "open",
    "high",
    "low",
    "close",
    "trades",
    "first_id",
    "last_id",
    "base_buy",
    "base_sell",
    "quote_buy",
    "quote_sell",
    "delta_low",
    "delta_high",
]
NOTHING = pl.lit(0, dtype=pl.Int128)


# Trade times may run a little against the ids: so many seconds wait for more of their trades.
WAITING_SECONDS = 5


class RanBack(ValueError):
    """A trade of a second whose bar was given already; `trade_id` is its id."""

    def __init__(self, trade_id: int) -> None:
        super().__init__(f"trade {trade_id} is more than {WAITING_SECONDS} s older than one before")
        self.trade_id = trade_id


class BarMaker:
    """Takes rows in id order and gives bars of `step` seconds, each the roll-up of its seconds,
    keeping back the newest, which may go on.

    Bars come as a frame: `second` (in which they open), FIGURES (scaled by 1e-8 and 1e-16 like
    `Bar`), `trade` and `order`: the packed bands. From aggregates there are no single trades:
    `trade` is empty.
    """

    def __init__(
        self, bands: BandSet, ticks: int, *, has_single_trades: bool, step: int = 1
    ) -> None:
        self.bands = bands
        self.ticks = ticks
        self.step = step
        self.has_single_trades = has_single_trades
        self._kept: pl.DataFrame | None = None
        self._last_id = -1
        self._holes = 0
        # time, side, holes and number of the sweep that may go on
        self._before: tuple[int, bool, int, int] = (-1, False, 0, 0)
        self._given_to = -1

    def take(self, rows: pl.DataFrame) -> pl.DataFrame | None:
        """Raises RanBack."""
        rows = self._numbered(rows)
        late = rows.filter(pl.col("second") < self._given_to)
        if late.height:
            raise RanBack(late["id"][0])
        if self._kept is not None:
            rows = pl.concat([self._kept, rows])
        if not rows.height:
            return None
        newest: int = rows.select(pl.col("at").max()).item()
        ended = (newest - WAITING_SECONDS) // self.step * self.step
        self._given_to = max(self._given_to, ended)
        if rows["second"].is_sorted():  # nearly always: a cut copies nothing
            cut = rows["second"].search_sorted(self._given_to, side="left")
            self._kept = rows[cut:]
            return self._bars(rows[:cut])
        is_ready = pl.col("second") < self._given_to
        self._kept = rows.filter(~is_ready)
        return self._bars(rows.filter(is_ready))

    def finish(self) -> pl.DataFrame | None:
        kept, self._kept = self._kept, None
        return self._bars(kept) if kept is not None else None

    def _numbered(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows that count as flow, with their second, their value and the number of their sweep. A
        hole of ids ends a sweep; a row that does not count does not."""
        after_hole = pl.col("id") > pl.col("last_id").shift(1, fill_value=self._last_id) + 1
        rows = rows.with_columns(
            (after_hole.cum_sum() + self._holes).alias("holes"),
            (pl.col("time") // self.ticks).alias("at"),
            (pl.col("time") // self.ticks // self.step * self.step).alias("second"),
            (pl.col("price") * pl.col("quantity")).alias("quote"),
        )
        self._last_id, self._holes = rows["last_id"][-1], rows["holes"][-1]
        if rows.select(((pl.col("price") == 0) | (pl.col("quantity") == 0)).any()).item():
            rows = rows.filter((pl.col("price") > 0) & (pl.col("quantity") > 0))
        time, maker, holes, sweep = self._before
        is_new = (
            (pl.col("time") != pl.col("time").shift(1, fill_value=time))
            | (pl.col("maker") != pl.col("maker").shift(1, fill_value=maker))
            | (pl.col("holes") != pl.col("holes").shift(1, fill_value=holes))
        )
        rows = rows.with_columns((is_new.cum_sum() + sweep).alias("sweep"))
        if rows.height:
            self._before = rows.select("time", "maker", "holes", "sweep").row(-1)
        return rows

    def _bars(self, rows: pl.DataFrame) -> pl.DataFrame | None:
        if not rows.height:
            return None
        # one row a sweep: consecutive counted ids with the same time and side, summed
        orders = rows.group_by("sweep").agg(
            pl.col("second", "maker").first(), pl.col("quote").sum()
        )
        if not rows["at"].is_sorted():  # times that run against ids: inside a second ids rule
            rows = rows.sort("at", maintain_order=True)
        bars = _figures(rows)
        order = self._banded(orders, "order")
        bars = bars.join(order, on="second", how="left", maintain_order="left")
        if not self.has_single_trades:
            return bars.with_columns(pl.lit("").alias("trade"))
        trade = self._banded(rows, "trade")
        return bars.join(trade, on="second", how="left", maintain_order="left")

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
    """Everything but the bands; rows are sorted by their time's second, inside it by id."""
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
        pl.col("id").min().alias("first_id"),
        pl.col("last_id").max(),
        pl.col("quantity").filter(bought).sum().alias("base_buy"),
        pl.col("quantity").filter(sold).sum().alias("base_sell"),
        pl.col("quote").filter(bought).sum().alias("quote_buy"),
        pl.col("quote").filter(sold).sum().alias("quote_sell"),
        pl.min_horizontal(pl.col("running").min() - before, NOTHING).alias("delta_low"),
        pl.max_horizontal(pl.col("running").max() - before, NOTHING).alias("delta_high"),
    )
