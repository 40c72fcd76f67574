"""What lies behind an account and changes no more: its twins have it together, in memory once and
in a file of its own that is written once."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import msgspec

from simulator.accounts.records import Account, Fill, Movement, Order

# Fields that have few words, each of which is to be there once.
WORDS = {
    Order: (
        "market",
        "symbol",
        "side",
        "type",
        "time_in_force",
        "status",
        "position_side",
        "self_trade_prevention",
        "reason",
        "original_type",
        "working_type",
    ),
    Fill: ("market", "symbol", "side", "commission_asset", "position_side"),
    Movement: ("kind", "asset"),
}


class Past(msgspec.Struct):
    """Orders that have ended, by their ids; fills and movements, oldest first."""

    orders: dict[int, Order]
    fills: list[Fill]
    movements: list[Movement]


class Pasts:
    def __init__(self, beside: Path | None) -> None:
        """`beside`: the file of the accounts; without one nothing is kept."""
        self._beside = beside
        self._known: dict[int, Past] = {}

    def settle(self, account: Account) -> None:
        """All that an account has behind it now is its past from here on."""
        ended = {order.id: order for order in account.orders.values() if not order.is_open}
        past = Past(ended, list(account.fills), list(account.movements))
        account.past = max(self._known, default=0) + 1
        self._known[account.past] = past
        if self._beside is not None:
            write_whole(self._file(account.past), msgspec.json.encode(past))

    def since(self, account: Account) -> Account:
        """The account with only what came after its past."""
        past = self._known.get(account.past)
        if past is None:
            return account
        return replace(
            account,
            orders={key: one for key, one in account.orders.items() if key not in past.orders},
            fills=account.fills[len(past.fills) :],
            movements=account.movements[len(past.movements) :],
        )

    def restore(self, account: Account) -> None:
        """The other way round, after a restart."""
        if not account.past:
            return
        if account.past not in self._known:
            self._known[account.past] = self._read(self._file(account.past))
        past = self._known[account.past]
        account.orders = dict(sorted((past.orders | account.orders).items()))
        account.fills = [*past.fills, *account.fills]
        account.movements = [*past.movements, *account.movements]

    def forget_all_but(self, accounts: Iterable[Account]) -> None:
        for number in self._known.keys() - {account.past for account in accounts}:
            del self._known[number]
            if self._beside is not None:
                self._file(number).unlink(missing_ok=True)

    def _file(self, number: int) -> Path:
        assert self._beside is not None
        return self._beside.with_name(f"past-{number}.json")

    def _read(self, file: Path) -> Past:
        past = msgspec.json.decode(file.read_bytes(), type=Past)
        for record in (*past.orders.values(), *past.fills, *past.movements):
            for name in WORDS[type(record)]:
                setattr(record, name, sys.intern(getattr(record, name)))
        return past


def write_whole(file: Path, body: bytes) -> None:
    """All of it or nothing, for its owner alone."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_bytes(body)
    part.replace(file)
