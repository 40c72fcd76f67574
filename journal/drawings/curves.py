"""Lines in one picture, over days or over the number of a trade: each its own tone, with axis, zero
and end labels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from journal.drawings.scales import Scale, Tick, scale_of, steps

Words = Callable[[float], str]
WIDE = 1000
# end labels nearer than this (per cent of the height) would lie on one another
LEAST_APART = 9.0
X_TICKS = 5


@dataclass(frozen=True)
class Line:
    """`points` by x; `tone` is a class name of the stylesheet."""

    name: str
    tone: str
    points: Sequence[tuple[float, Decimal | float]]


@dataclass(frozen=True)
class Drawn:
    """`points` are `x,y x,y …` in a box of 1000 x 1000, `area` the same closed along zero; the
    others are in per cent from the top and from the left."""

    name: str
    tone: str
    points: str
    area: str
    end: float
    label_at: float
    end_text: str
    end_x: float = 100.0


@dataclass(frozen=True)
class Curves:
    lines: list[Drawn]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    zero: float


def of_days(points: Sequence[tuple[date, Decimal]]) -> list[tuple[float, Decimal]]:
    return [(float(day.toordinal()), value) for day, value in points]


def day_words(words: Callable[[date], str]) -> Words:
    return lambda value: words(date.fromordinal(int(value)))


def curves(
    lines: Sequence[Line],
    words: Words,
    x_words: Words,
    *,
    is_stepped: bool = True,
    with_zero: bool = True,
) -> Curves | None:
    """None where nothing could be a line (fewer than two places). Stepped: between two days nothing
    was earned, so that a slope would tell what was not."""
    known = [line for line in lines if line.points]
    places = sorted({x for line in known for x, _value in line.points})
    if len(places) < 2:
        return None
    across = Scale(places[0], places[-1])
    values = [value for line in known for _x, value in line.points]
    up = scale_of(values, with_zero=with_zero)
    drawn = [_drawn(line, across, up, words, is_stepped=is_stepped) for line in known]
    return Curves(
        lines=_apart(drawn),
        x_ticks=_x_ticks(across, x_words),
        y_ticks=[Tick(up.y(value), words(value), value == 0) for value in steps(up)],
        zero=up.y(0),
    )


def _drawn(line: Line, across: Scale, up: Scale, words: Words, *, is_stepped: bool) -> Drawn:
    places: list[tuple[float, float]] = []
    for at, value in line.points:
        x, y = across.x(at) * 10, up.y(value) * 10
        if places and is_stepped:
            places.append((x, places[-1][1]))
        places.append((x, y))
    if is_stepped and places[-1][0] < WIDE:
        places.append((WIDE, places[-1][1]))
    text = " ".join(f"{x:g},{y:g}" for x, y in places)
    zero = min(1000.0, max(0.0, up.y(0) * 10))
    area = f"{places[0][0]:g},{zero:g} {text} {places[-1][0]:g},{zero:g}"
    last = line.points[-1][1]
    end = up.y(last)
    return Drawn(line.name, line.tone, text, area, end, end, words(float(last)))


def _apart(lines: list[Drawn]) -> list[Drawn]:
    """Labels keep the order of their ends and do not lie on one another."""
    placed: list[Drawn] = []
    at = -LEAST_APART
    for line in sorted(lines, key=lambda line: line.end):
        at = max(line.end, at + LEAST_APART)
        placed.append(replace(line, label_at=min(at, 100.0)))
    return placed


def _x_ticks(across: Scale, words: Words) -> list[Tick]:
    count = (
        X_TICKS if across.high - across.low >= X_TICKS - 1 else int(across.high - across.low) + 1
    )
    width = across.high - across.low
    moments = [across.low + width * n / max(1, count - 1) for n in range(count)]
    return [Tick(across.x(round(at)), words(round(at))) for at in moments]
