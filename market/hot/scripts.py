"""The one way bars get into Redis: compare-and-set on (cursor, revision), atomically a tape.

A writer says what it started from; if that still stands, the script writes the absolute values of
the changed bars, the new cursor with the open sweep, the time index and the gaps, and publishes.
If not, nothing is written, and the writer loads what stands and applies again what it kept. So any
number of writers give the same bars, and a lost reply is no different from a lost race.
"""

import msgspec

# ARGV[1] is MessagePack:
#   expect  {last_id, revision}: what the writer started from ("" for a tape unknown so far);
#           a last_id of "*" leaves the cursor out of the comparison
#   state   {field, value, …}
#   bars    [{hash key, index key, open time, {field, value, …}, expected trades or "*"}];
#           without fields the bar goes
#   big     [ended big order as JSON], newest last
#   gaps    {field, value, …};  messages [{channel, payload}]
WRITE = """
local w = cmsgpack.unpack(ARGV[1])
local have = redis.call('HMGET', KEYS[1], 'last_id', 'revision')
local last_id, revision = have[1] or '', have[2] or ''
if w.expect[1] ~= '*' and last_id ~= w.expect[1] then return 0 end
if revision ~= w.expect[2] then return 0 end
for _, bar in ipairs(w.bars) do
  if bar[5] ~= '*' and (redis.call('HGET', bar[1], 'trades') or '0') ~= bar[5] then return 0 end
end
local new = {}
for i = 1, #w.state, 2 do new[w.state[i]] = w.state[i + 1] end
-- two writers of one tape know its coverage differently well: it only grows, but for a new tape
local from, to = unpack(redis.call('HMGET', KEYS[1], 'covered_from', 'covered_to'))
if to and new.covered_to and new.revision == revision then
  if tonumber(to) > tonumber(new.covered_to) then new.covered_to = to end
  if tonumber(from) < tonumber(new.covered_from) then new.covered_from = from end
end
for field, value in pairs(new) do redis.call('HSET', KEYS[1], field, value) end
for _, bar in ipairs(w.bars) do
  if #bar[4] == 0 then
    redis.call('DEL', bar[1])
    redis.call('ZREM', bar[2], bar[3])
  else
    redis.call('HSET', bar[1], unpack(bar[4]))
    redis.call('PERSIST', bar[1])
    redis.call('ZADD', bar[2], bar[3], bar[3])
  end
end
for i = 1, #w.gaps, 2 do redis.call('HSET', KEYS[2], w.gaps[i], w.gaps[i + 1]) end
if #w.big > 0 then
  redis.call('LPUSH', KEYS[3], unpack(w.big))
  redis.call('LTRIM', KEYS[3], 0, 499)
end
for _, message in ipairs(w.messages) do redis.call('PUBLISH', message[1], message[2]) end
return 1
"""

# Shows states that need no comparison. KEYS[1] says who shows this tape (another one may after
# 2 s); behind it one key a state. ARGV: who, seconds to keep, then {value, channel, message} each.
SHOW = """
local who = redis.call('GET', KEYS[1])
if who and who ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', 2000)
for i = 2, #KEYS do
  local at = 3 * i - 3
  redis.call('SET', KEYS[i], ARGV[at], 'EX', ARGV[2])
  redis.call('PUBLISH', ARGV[at + 1], ARGV[at + 2])
end
return 1
"""


class BarWrite(msgspec.Struct, array_like=True):
    key: str
    index: str
    time: str
    fields: list[str]
    expected_trades: str = "*"


class Write(msgspec.Struct):
    """One call of the script."""

    expect: tuple[str, str]
    state: list[str]
    bars: list[BarWrite]
    gaps: list[str]
    messages: list[tuple[str, str]]
    big: list[str] = []


encode_write = msgspec.msgpack.encode


def flat(fields: dict[str, str]) -> list[str]:
    """{"a": "1"} -> ["a", "1"], as HSET takes it."""
    return [word for pair in fields.items() for word in pair]
