"""How results lie: a histogram, and points of two measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from journal.drawings.curves import Words
from journal.drawings.scales import Scale, Tick, scale_of, steps

BINS = 24


@dataclass(frozen=True)
class Bin:
    """In per cent of the picture, and its edges as words."""

    x: float
    width: float
    y: float
    height: float
    count: int
    is_gain: bool
    text: str


@dataclass(frozen=True)
class Histogram:
    """`zero` (None where it is outside) and `mean` in per cent from the left."""

    bins: list[Bin]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    zero: float | None
    mean: float
    mean_text: str


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    is_gain: bool
    key: int
    text: str


@dataclass(frozen=True)
class Scatter:
    points: list[Point]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    zero_x: float | None
    # what both axes reach from and to
    across: Scale
    up: Scale


def round_edges(low: float, high: float) -> list[float]:
    """Edges of bins over `low` to `high`, round, with zero as one of them, so that no bin mixes
    gains and losses. Values beyond the outermost edges belong into bins of their own."""
    low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        return [-1.0, 0.0, 1.0]
    edges = steps(scale_of([low, high], room=0), BINS)
    width = edges[1] - edges[0] if len(edges) > 1 else high - low
    if edges[0] > low:
        edges.insert(0, edges[0] - width)
    if edges[-1] < high:
        edges.append(edges[-1] + width)
    return edges


def histogram(
    edges: Sequence[float], counts: Sequence[int], mean: float, words: Words
) -> Histogram:
    """`counts` are of what lies below the first edge, between each two, and from the last edge on:
    one more than there are edges."""
    if len(counts) != len(edges) + 1:
        raise ValueError(f"expected {len(edges) + 1} counts, was {len(counts)}")
    width = edges[1] - edges[0]
    all_edges = [edges[0] - width, *edges, edges[-1] + width]
    across = scale_of(all_edges, with_zero=False, room=0)
    up = scale_of([0, max(counts) or 1], room=0.04)
    bins = [
        Bin(
            x=across.x(edge),
            width=round(across.x(all_edges[n + 1]) - across.x(edge), 3),
            y=up.y(counts[n]),
            height=round(up.y(0) - up.y(counts[n]), 3),
            count=counts[n],
            is_gain=edge >= 0,
            text=_span(n, all_edges, words),
        )
        for n, edge in enumerate(all_edges[:-1])
    ]
    whole = [value for value in steps(up) if value == int(value)]
    return Histogram(
        bins=bins,
        x_ticks=[Tick(across.x(v), words(v), v == 0) for v in steps(across, 6)],
        y_ticks=[Tick(up.y(value), f"{value:g}") for value in whole],
        zero=across.x(0) if across.low <= 0 <= across.high else None,
        mean=min(100.0, max(0.0, across.x(mean))),
        mean_text=words(mean),
    )


def scatter(
    rows: Sequence[tuple[Decimal | float, Decimal | float, int, str]],
    x_words: Words,
    y_words: Words,
) -> Scatter | None:
    """`rows` are (x, y, key, words); a gain has a y above zero. None for fewer than two."""
    if len(rows) < 2:
        return None
    across = scale_of((row[0] for row in rows), with_zero=False)
    up = scale_of(row[1] for row in rows)
    return Scatter(
        points=[Point(across.x(x), up.y(y), y > 0, key, text) for x, y, key, text in rows],
        x_ticks=[Tick(across.x(v), x_words(v), v == 0) for v in steps(across, 5)],
        y_ticks=[Tick(up.y(v), y_words(v), v == 0) for v in steps(up)],
        zero_x=across.x(0) if across.low <= 0 <= across.high else None,
        across=across,
        up=up,
    )


def _span(at: int, edges: Sequence[float], words: Words) -> str:
    if at == 0:
        return f"< {words(edges[1])}"
    if at == len(edges) - 2:
        return f"≥ {words(edges[-2])}"
    return f"{words(edges[at])} … {words(edges[at + 1])}"
