"""What Redis knows of many markets since the evaluator's clock, in two round trips."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis

from market.flow.bars import Bar
from market.hot import keys
from market.hot.codec import BigOrderRecord, GapRecord, bar_from, decode_gap, decode_order
from market.instruments import InstrumentKey

# The newest big orders that are looked at each time.
ORDERS = 100


@dataclass(frozen=True)
class Ask:
    """`since` (epoch s): the first second that is wanted."""

    key: InstrumentKey
    since: int
    wants_orders: bool


@dataclass(frozen=True)
class News:
    """`covered` (epoch s): the exchange's time up to which the tape is whole but for `gaps`."""

    covered: int
    gaps: list[GapRecord]
    bars: dict[int, Bar]
    orders: list[BigOrderRecord] = field(default_factory=list)


def read(client: redis.Redis, questions: Sequence[Ask]) -> list[News | None]:
    """In the order asked; None for a tape that Redis does not know. Raises RedisError."""
    with client.pipeline(transaction=False) as pipe:
        for ask in questions:
            pipe.hget(keys.state(ask.key), "covered_to")
            pipe.hvals(keys.gaps(ask.key))
            pipe.zrange(keys.bars(ask.key, "1s"), ask.since, "+inf", byscore=True)
            if ask.wants_orders:
                pipe.lrange(keys.big_orders(ask.key), 0, ORDERS - 1)
        answers: list[Any] = pipe.execute()
    heads: list[tuple[int, list[Any], list[int], list[Any]]] = []
    place = 0
    for ask in questions:
        covered, gaps, times = answers[place : place + 3]
        place += 3
        orders: list[Any] = []
        if ask.wants_orders:
            orders = answers[place]
            place += 1
        heads.append((int(covered or 0) // 1000, gaps, [int(at) for at in times], orders))
    bars = _read_bars(
        client, [(ask.key, head[2]) for ask, head in zip(questions, heads, strict=True)]
    )
    return [
        News(covered, [decode_gap(gap) for gap in gaps], bars[at], list(map(decode_order, orders)))
        if covered
        else None
        for at, (covered, gaps, _times, orders) in enumerate(heads)
    ]


def _read_bars(
    client: redis.Redis, wanted: Iterable[tuple[InstrumentKey, list[int]]]
) -> list[dict[int, Bar]]:
    wanted = list(wanted)
    with client.pipeline(transaction=False) as pipe:
        for key, times in wanted:
            for at in times:
                pipe.hgetall(keys.bar(key, "1s", at))
        answers = iter(pipe.execute())
    return [
        {at: bar_from(at, fields) for at in times if (fields := next(answers))}
        for _key, times in wanted
    ]
