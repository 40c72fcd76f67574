"""Reading and writing one venue's tapes in Redis, for the collectors' event loop."""

from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar, cast

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError

from market.flow.bars import Bar
from market.hot import keys
from market.hot.codec import GapRecord, State, bar_fields, bar_from, decode_gap, state_from
from market.hot.scripts import WRITE, BarWrite, Write, encode_write, flat
from market.instruments import InstrumentKey

T = TypeVar("T")

# A tape's script runs on its own, so Redis is never held for longer than one tape's bars take; a
# pipeline carries this many of them in one round trip.
TAPES_A_ROUND_TRIP = 50


def connect(url: str, timeout: float = 5.0) -> redis.Redis:
    """No retries: a lost reply is a lost race, and the writer reloads."""
    client: redis.Redis = redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=10,
    )
    return client


class HotStore:
    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self._script = client.register_script(WRITE)

    async def load_script(self) -> None:
        await self.client.script_load(WRITE)

    async def write(self, writes: Sequence[tuple[InstrumentKey, Write]]) -> list[bool]:
        """Run the script once a tape; True where it was applied, in the order given."""
        applied: list[bool] = []
        for answer in await self.write_each(writes):
            if isinstance(answer, Exception):
                raise answer
            applied.append(answer)
        return applied

    async def write_each(
        self, writes: Sequence[tuple[InstrumentKey, Write]]
    ) -> list[bool | redis.ResponseError]:
        """The same; what Redis says against the keys of one tape is that tape's answer."""
        applied: list[bool | redis.ResponseError] = []
        for start in range(0, len(writes), TAPES_A_ROUND_TRIP):
            some = writes[start : start + TAPES_A_ROUND_TRIP]
            answers = await self._run(some)
            forgotten = [n for n, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if forgotten:  # a Redis that was started anew knows no scripts
                await self.load_script()
                again = await self._run([some[n] for n in forgotten])
                for n, answer in zip(forgotten, again, strict=True):
                    answers[n] = answer
            for answer in answers:
                if isinstance(answer, redis.ResponseError) and is_of_one_tape(answer):
                    applied.append(answer)
                elif isinstance(answer, Exception):
                    raise answer
                else:
                    applied.append(answer == 1)
        return applied

    async def _run(self, writes: Sequence[tuple[InstrumentKey, Write]]) -> list[Any]:
        """One round trip: the script by its digest, which asks for nothing before."""
        async with self.client.pipeline(transaction=False) as pipe:
            for tape, write in writes:
                names = (keys.state(tape), keys.gaps(tape), keys.big_orders(tape))
                pipe.evalsha(self._script.sha, len(names), *names, encode_write(write))
            answers: list[Any] = await pipe.execute(raise_on_error=False)
            return answers

    async def state(self, tape: InstrumentKey) -> State | None:
        return state_from(await as_async(self.client.hgetall(keys.state(tape))))

    async def bars(
        self, tape: InstrumentKey, interval: str, start: int, end: int
    ) -> dict[int, Bar]:
        """Bars with start <= open time < end (epoch seconds), keyed by open time."""
        index = keys.bars(tape, interval)
        times = [int(t) for t in await self.client.zrange(index, start, f"({end}", byscore=True)]
        if not times:
            return {}
        async with self.client.pipeline(transaction=False) as pipe:
            for time in times:
                pipe.hgetall(keys.bar(tape, interval, time))
            hashes = await pipe.execute()
        return {t: bar_from(t, fields) for t, fields in zip(times, hashes, strict=True) if fields}

    async def gaps(self, tape: InstrumentKey) -> list[GapRecord]:
        texts = await as_async(self.client.hvals(keys.gaps(tape)))
        return sorted((decode_gap(gap) for gap in texts), key=lambda gap: gap.first_id)

    async def forget_gaps(self, tape: InstrumentKey, first_ids: Sequence[int]) -> None:
        """Closed gaps that are in PostgreSQL by now."""
        if first_ids:
            await as_async(self.client.hdel(keys.gaps(tape), *map(str, first_ids)))


def is_of_one_tape(error: Exception) -> bool:
    """A key that holds something else than it should, say; not a Redis that is full, loading or
    read-only, which says so in classes of their own."""
    return type(error) is redis.ResponseError


def as_async(answer: Awaitable[T] | T) -> Awaitable[T]:
    """redis-py types one class for both of its clients; this one always answers with a future."""
    return cast(Awaitable[T], answer)


def bar_removal(tape: InstrumentKey, interval: str, time: int) -> BarWrite:
    """The exchange has no such bar."""
    return BarWrite(
        key=keys.bar(tape, interval, time),
        index=keys.bars(tape, interval),
        time=str(time),
        fields=[],
    )


def bar_write(
    tape: InstrumentKey, interval: str, bar: Bar, expected_trades: int | None = None
) -> BarWrite:
    return BarWrite(
        key=keys.bar(tape, interval, bar.time),
        index=keys.bars(tape, interval),
        time=str(bar.time),
        fields=flat(bar_fields(bar)),
        expected_trades="*" if expected_trades is None else str(expected_trades),
    )
