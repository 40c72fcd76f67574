"""Stretches of time as half-open pairs of epoch seconds: joined, taken from one another, cut into
requests. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence

Stretch = tuple[int, int]


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Oldest first, none empty, none touching another."""
    result: list[Stretch] = []
    for start, end in sorted(stretches):
        if start >= end:
            continue
        if result and start <= result[-1][1]:
            result[-1] = result[-1][0], max(end, result[-1][1])
        else:
            result.append((start, end))
    return result


def minus(wanted: Iterable[Stretch], known: Sequence[Stretch]) -> list[Stretch]:
    """What of `wanted` lies in none of `known` (as `merged` gives them)."""
    result: list[Stretch] = []
    for start, end in merged(wanted):
        at = max(0, bisect_right(known, (start, 2**62)) - 1)
        while start < end and at < len(known):
            first, last = known[at]
            if first >= end:
                break
            if last > start:
                if first > start:
                    result.append((start, first))
                start = last
            at += 1
        if start < end:
            result.append((start, end))
    return result


def is_within(start: int, end: int, known: Sequence[Stretch]) -> bool:
    """One of `known` (as `merged` gives them) holds all of it."""
    at = bisect_right(known, (start, 2**62)) - 1
    return at >= 0 and known[at][0] <= start and end <= known[at][1]


def widened(stretches: Iterable[Stretch], step: int) -> list[Stretch]:
    """To whole steps from the epoch."""
    return merged((start - start % step, -(-end // step) * step) for start, end in stretches)


def pages(
    wanted: Iterable[Stretch],
    step: int,
    most: int,
    weigh: Callable[[int], int],
    widest: int | None = None,
) -> list[Stretch]:
    """Requests of at most `most` steps that hold all of `wanted`, oldest first. Two neighbours are
    one request where that costs no more, though nobody wants what lies between them: at most
    `widest` steps, since they have to be made, sent and kept too."""
    result: list[Stretch] = []
    for start, end in widened(wanted, step):
        if result:
            first, last = result[-1]
            room = first + most * step
            full = min(end, room)
            apart = weigh((last - first) // step) + weigh((end - start) // step)
            behind = weigh((end - room) // step) if end > room else 0
            is_near = widest is None or start - last <= widest * step
            if is_near and start < room and weigh((full - first) // step) + behind <= apart:
                result[-1] = first, full
                start = full
        while start < end:
            result.append((start, min(start + most * step, end)))
            start = result[-1][1]
    return result
