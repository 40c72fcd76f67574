"""Where a book stands at a moment, so that later rows go on from there instead of from the first.

A checkpoint holds open lots, the trade under way and sums; it is JSON whose decimals are text. What
is computed from one is the same to the last digit as what is computed from the beginning.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from journal.ledger.coins import CoinBook, CoinTrip
from journal.ledger.lots import Lot, Lots
from journal.ledger.records import Id, Past
from journal.ledger.sides import ContractBook, ContractTrip

# Another one where a checkpoint of before would be read wrongly.
VERSION = 1


class LotState(msgspec.Struct, array_like=True):
    """`worth` is what orders lots by `hifo`, as it was when the lot came in."""

    id: Id
    rank: int
    opened_at: datetime
    order: tuple[int | str, ...]
    quantity: Decimal
    cost: Decimal
    fee: Decimal
    apart: Decimal
    worth: Decimal | None = None


class LotsState(msgspec.Struct):
    quantity: Decimal
    cost: Decimal
    fees: Decimal
    unknown: Decimal
    is_short: bool
    lots: list[LotState]


class TripState(msgspec.Struct):
    key: str
    opened_at: datetime
    past: Past
    entry_quantity: Decimal
    entry_value: Decimal
    closed_at: datetime | None
    ended_by: str


class CoinTripState(TripState):
    symbol: str
    newest_at: datetime
    ends_older: bool


class ContractTripState(TripState):
    direction: str
    other_fees: Decimal
    funding: Decimal
    differs: Decimal
    may_differ: Decimal
    last_fill: Id


class CoinState(msgspec.Struct):
    account: str
    name: str
    pair: tuple[str, Decimal]
    tax: LotsState
    of_trade: LotsState
    of_stack: LotsState
    trade: CoinTripState | None


class SideState(msgspec.Struct):
    symbol: str
    account: str
    market: str
    position_side: str
    contract_size: Decimal
    sign: int
    average_value: Decimal
    average_realized: Decimal
    lots: LotsState
    trip: ContractTripState | None
    last: ContractTripState | None


class State(msgspec.Struct):
    """Of one book. `moved` is of currencies: how much, and the dollars that it was booked at;
    `settled_in` of a contract."""

    version: int
    moved: dict[str, tuple[Decimal, Decimal]]
    coin: CoinState | None = None
    sides: list[SideState] = []
    settled_in: str = ""


def encoded(state: State) -> bytes:
    return msgspec.json.encode(state)


def decoded(text: bytes) -> State | None:
    """None for one of another version."""
    try:
        state = msgspec.json.decode(text, type=State)
    except msgspec.ValidationError:
        return None
    return state if state.version == VERSION else None


# --- a coin ---------------------------------------------------------------------------------------


def coin_state(book: CoinBook) -> CoinState:
    trade = book.trade
    return CoinState(
        book.account,
        book.coin,
        book.pair,
        _lots_state(book.tax.lots),
        _lots_state(book.of_trade),
        _lots_state(book.of_stack),
        None
        if trade is None
        else CoinTripState(
            **_trip_fields(trade),
            symbol=trade.symbol,
            newest_at=trade.newest_at,
            ends_older=trade.ends_older,
        ),
    )


def resume_coin(book: CoinBook, state: CoinState) -> None:
    book.pair = state.pair
    for lots, kept in (
        (book.tax.lots, state.tax),
        (book.of_trade, state.of_trade),
        (book.of_stack, state.of_stack),
    ):
        _resume_lots(lots, kept)
    if state.trade is None:
        return
    kept_trade = state.trade
    book.trade = CoinTrip(
        kept_trade.key,
        kept_trade.opened_at,
        symbol=kept_trade.symbol,
        newest_at=kept_trade.newest_at,
        ends_older=kept_trade.ends_older,
    )
    _resume_trip(book.trade, kept_trade)


# --- a contract -----------------------------------------------------------------------------------


def side_state(book: ContractBook) -> SideState:
    return SideState(
        book.symbol,
        book.account,
        book.market,
        book.position_side,
        book.contract_size,
        book.sign,
        book.average_value,
        book.average_realized,
        _lots_state(book.lots),
        _contract_trip_state(book.trip),
        _contract_trip_state(book.last),
    )


def resume_side(book: ContractBook, state: SideState) -> None:
    book.contract_size = state.contract_size
    book.sign = state.sign
    book.average_value, book.average_realized = state.average_value, state.average_realized
    book.lots = Lots(book.method, is_short=state.lots.is_short)
    _resume_lots(book.lots, state.lots)
    book.trip = _contract_trip(state.trip)
    book.last = _contract_trip(state.last)
    if book.last is not None:
        # a fee that comes later may still change it
        book.closed.append(book.last)


def _contract_trip_state(trip: ContractTrip | None) -> ContractTripState | None:
    if trip is None:
        return None
    return ContractTripState(
        **_trip_fields(trip),
        direction=trip.direction,
        other_fees=trip.other_fees,
        funding=trip.funding,
        differs=trip.differs,
        may_differ=trip.may_differ,
        last_fill=trip.last_fill,
    )


def _contract_trip(state: ContractTripState | None) -> ContractTrip | None:
    if state is None:
        return None
    trip = ContractTrip(
        state.key,
        state.opened_at,
        direction=state.direction,
        other_fees=state.other_fees,
        funding=state.funding,
        differs=state.differs,
        may_differ=state.may_differ,
        last_fill=state.last_fill,
    )
    _resume_trip(trip, state)
    return trip


# --- both -----------------------------------------------------------------------------------------


def _trip_fields(trip: CoinTrip | ContractTrip) -> dict[str, Any]:
    return {
        "key": trip.key,
        "opened_at": trip.opened_at,
        "past": trip.as_past(),
        "entry_quantity": trip.entry_quantity,
        "entry_value": trip.entry_value,
        "closed_at": trip.closed_at,
        "ended_by": trip.ended_by,
    }


def _resume_trip(trip: CoinTrip | ContractTrip, state: TripState) -> None:
    trip.take_up(state.past)
    trip.entry_quantity, trip.entry_value = state.entry_quantity, state.entry_value
    trip.closed_at, trip.ended_by = state.closed_at, state.ended_by


def _lots_state(lots: Lots) -> LotsState:
    return LotsState(
        lots.quantity,
        lots.cost,
        lots.fees,
        lots.unknown_quantity,
        lots.is_short,
        [
            LotState(
                lot.id,
                lot.place[0],
                lot.opened_at,
                lot.place[2],
                lot.quantity,
                lot.cost,
                lot.fee,
                lot.apart,
                key[0] if lots.method == "hifo" else None,
            )
            for key, lot in lots.entries()
        ],
    )


def _resume_lots(lots: Lots, state: LotsState) -> None:
    entries = []
    for kept in state.lots:
        place = (kept.rank, kept.opened_at, kept.order)
        lot = Lot(kept.id, place, kept.quantity, kept.cost, kept.fee, kept.apart)
        entries.append((place if kept.worth is None else (kept.worth, place), lot))
    lots.take_up(entries, state.quantity, state.cost, state.fees, state.unknown)
