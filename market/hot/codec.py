"""Bars, tape states and gaps as Redis and PostgreSQL keep them, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

import msgspec

from market.flow.bars import Bar
from market.flow.detail import Detail
from market.flow.tape import Sweep

PLAIN = (
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
    "bid",
    "ask",
    "revision",
)
_plain = attrgetter(*PLAIN)


def bar_fields(bar: Bar) -> dict[str, str]:
    """Scaled integers as text; the bands packed, space-separated."""
    fields = dict(zip(PLAIN, map(str, _plain(bar)), strict=True))
    fields["trade"] = trade_text(bar)
    fields["order"] = pack(bar.order)
    return fields


def bar_from(time: int, fields: Mapping[bytes, bytes]) -> Bar:
    bar = Bar(time)
    for name in PLAIN:
        setattr(bar, name, int(fields[name.encode()]))
    take_trade(bar, fields[b"trade"])
    bar.order = unpack(fields[b"order"])
    return bar


def trade_text(bar: Bar) -> str:
    """The bands by single trade; empty where only aggregates are known."""
    return pack(bar.trade) if bar.detail == Detail.FULL else ""


def take_trade(bar: Bar, text: bytes | str) -> None:
    if text:
        bar.trade = unpack(text)
    else:
        bar.detail = Detail.ORDER


def pack(flat: list[int]) -> str:
    return " ".join(map(str, flat))


def unpack(text: bytes | str) -> list[int]:
    return [int(word) for word in text.split()]


@dataclass(frozen=True)
class State:
    """Where a tape stands: everything a writer needs to go on.

    `newest` is the open time of the newest bar (epoch s); `covered_from`/`covered_to` bound the
    exchange's time (epoch ms) within which no trade is missing but for the recorded gaps;
    `hot_from` is the minute (epoch s) from which on Redis holds every 1 s bar.
    """

    last_id: int
    revision: int
    newest: int
    covered_from: int
    covered_to: int
    ticks: int
    sweep: Sweep | None
    hot_from: int = 0

    def fields(self) -> dict[str, str]:
        return {
            "last_id": str(self.last_id),
            "revision": str(self.revision),
            "newest": str(self.newest),
            "covered_from": str(self.covered_from),
            "covered_to": str(self.covered_to),
            "ticks": str(self.ticks),
            "sweep": sweep_text(self.sweep),
            "hot_from": str(self.hot_from),
        }


def state_from(fields: Mapping[bytes, bytes]) -> State | None:
    """None for a tape that Redis does not know."""
    if b"last_id" not in fields:
        return None
    return State(
        last_id=int(fields[b"last_id"]),
        revision=int(fields[b"revision"]),
        newest=int(fields[b"newest"]),
        covered_from=int(fields[b"covered_from"]),
        covered_to=int(fields[b"covered_to"]),
        ticks=int(fields[b"ticks"]),
        sweep=sweep_from(fields[b"sweep"].decode()),
        hot_from=int(fields.get(b"hot_from", b"0")),
    )


def sweep_text(sweep: Sweep | None) -> str:
    """`time side quote`, side S when the seller was the taker."""
    if sweep is None:
        return ""
    return f"{sweep.time} {'S' if sweep.is_buyer_maker else 'B'} {sweep.quote}"


def sweep_from(text: str) -> Sweep | None:
    if not text:
        return None
    time, side, quote = text.split()
    return Sweep(int(time), side == "S", int(quote))


class BigOrderRecord(msgspec.Struct, frozen=True):
    """An ended taker order as the API and the live topic say it; `t` in epoch ms."""

    t: int
    side: str
    value: str
    price: str | None

    @property
    def slot(self) -> str:
        """What makes it itself: the same order told twice is one."""
        return f"{self.t}{self.side}{self.value}"


class GapRecord(msgspec.Struct, frozen=True):
    """Ids `first_id`..`last_id` did not come; `from_ms`/`to_ms` are the trade times around them."""

    first_id: int
    last_id: int
    from_ms: int
    to_ms: int
    cause: str
    state: str
    # while a rebuild is under way: the id up to which bars are written
    filled_to: int = 0

    def as_answer(self) -> dict[str, int | str]:
        """As the API's contract spells it."""
        return {
            "from_id": self.first_id,
            "to_id": self.last_id,
            "from": self.from_ms,
            "to": self.to_ms,
            "state": self.state,
        }


encode_order = msgspec.json.encode
decode_order = msgspec.json.Decoder(BigOrderRecord).decode
encode_gap = msgspec.json.encode
decode_gap = msgspec.json.Decoder(GapRecord).decode


def gap_text(gap: GapRecord) -> str:
    return encode_gap(gap).decode()
