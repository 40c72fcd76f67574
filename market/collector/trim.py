"""Old bars leave Redis once PostgreSQL is proven to have them, to the last digit.

A bar that differs, or is missing there, stays; one that changes while we look stays too.
"""

import structlog

from market.archive import seconds as archive
from market.collector.rebuild import Place
from market.flow.bars import Bar, roll_up
from market.hot import keys

log = structlog.get_logger(__name__)

BARS_A_STEP = 1200

# KEYS: hash, index. ARGV: time, revision, trades: what was compared with PostgreSQL.
DROP = """
local have = redis.call('HMGET', KEYS[1], 'revision', 'trades')
if have[1] ~= ARGV[2] or have[2] ~= ARGV[3] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
"""


async def trim(place: Place, interval: str, before: int) -> int:
    """Drop verified bars with open time < `before` (epoch s), at most BARS_A_STEP of the oldest.

    Returns how many went.
    """
    index = keys.bars(place.tape, interval)
    oldest = await place.hot.client.zrange(
        index, "-inf", f"({before}", byscore=True, offset=0, num=BARS_A_STEP
    )
    if not oldest:
        return 0
    start, end = int(oldest[0]), int(oldest[-1]) + (60 if interval == "1m" else 1)
    hot = await place.hot.bars(place.tape, interval, start, end)
    saved = await place.database.run(archive.load, place.instrument_id, start, end)
    if interval == "1m":
        saved = {bar.time: bar for bar in roll_up(saved.values(), 60)}
    proven = [bar for at, bar in hot.items() if at in saved and saved[at].flow() == bar.flow()]
    if len(proven) < len(hot):
        log.error("bars not as in postgresql", tape=str(place.tape), bars=len(hot) - len(proven))
        if interval == "1s":  # PostgreSQL was away for long: what it lacks it gets now
            lacking = [bar for at, bar in sorted(hot.items()) if bar not in proven]
            await place.database.run(
                archive.save, place.instrument_id, place.bands.id, lacking, None
            )
    return await _drop(place, interval, index, proven)


async def _drop(place: Place, interval: str, index: str, bars: list[Bar]) -> int:
    script = place.hot.client.register_script(DROP)
    async with place.hot.client.pipeline(transaction=False) as pipe:
        for bar in bars:
            key = keys.bar(place.tape, interval, bar.time)
            await script(keys=[key, index], args=[bar.time, bar.revision, bar.trades], client=pipe)
        return sum(await pipe.execute())
