"""`compute`: fills in, matches, trades, positions and problems out. One engine for every screen."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal, localcontext
from functools import cached_property
from typing import Any

from journal.ledger.group import Event, Group, Prices, entry_of
from journal.ledger.lots import METHODS
from journal.ledger.records import (
    Fill,
    Funding,
    Match,
    Position,
    Problem,
    Rules,
    Trade,
    Transfer,
    exact,
)

# Products of 8-place decimals are exact far below this; only divisions round, at the 60th digit.
PRECISION = Context(prec=60)
GroupKey = tuple[str, str, str]


def compute(
    fills: Iterable[Fill],
    *,
    method: str = "fifo",
    funding: Iterable[Funding] = (),
    transfers: Iterable[Transfer] = (),
    prices: Callable[[str, Any], Decimal | None] | None = None,
    rules: Mapping[str, Rules | tuple[Any, Any]] | None = None,
) -> "Ledger":
    """Match fills into round trips. The order of the input never matters.

    `method`: fifo, lifo, hifo or average. `prices(asset, time)` is an asset's price in dollars (or
    in any one currency, if it knows the quote assets too), None or LookupError when unknown; it
    values fees in other assets. `rules` maps a symbol to its step size and minimum notional.
    Raises ValueError for an unknown method. Conventions, with reasons: docs/how-we-calculate.md.
    """
    if method not in METHODS:
        raise ValueError(f"method: expected one of {METHODS}, was {method!r}")
    ledger = Ledger(method, prices, rules or {})
    ledger._transfers = sorted(transfers, key=lambda item: entry_of(item)[:-1])
    ledger._add(list(fills), list(funding))
    return ledger


class Ledger:
    """Results by account, market and symbol, each in the order of time; trades by opening time."""

    def __init__(
        self,
        method: str,
        prices: Prices | None,
        rules: Mapping[str, Rules | tuple[Any, Any]],
    ) -> None:
        self.method = method
        self._prices = prices
        self._rules = rules
        self._groups: dict[GroupKey, Group] = {}
        self._fills: dict[GroupKey, list[Fill]] = {}
        self._transfers: list[Transfer] = []
        self._homeless: list[Problem] = []

    def extend(self, fills: Iterable[Fill]) -> "Ledger":
        """Add fills; only what they touch is computed again, from the last flat point before them.
        The result equals a full rebuild. Returns the ledger itself."""
        self._add(list(fills), [])
        return self

    @cached_property
    def matches(self) -> list[Match]:
        return [
            match for _, group in sorted(self._groups.items()) for match in group.results.matches
        ]

    def matches_by_symbol(self) -> list[tuple[str, Match]]:
        """The same matches, each with its symbol: ids are unique within one only."""
        return [
            (key[2], match)
            for key, group in sorted(self._groups.items())
            for match in group.results.matches
        ]

    @cached_property
    def trades(self) -> list[Trade]:
        closed = [trade for group in self._groups.values() for trade in group.results.trades]
        with localcontext(PRECISION):
            still_open = [t for group in self._groups.values() for t in group.open_trades()]
        return sorted([*closed, *still_open], key=lambda trade: (trade.opened_at, trade.key))

    @cached_property
    def positions(self) -> list[Position]:
        with localcontext(PRECISION):
            found = [p for group in self._groups.values() for p in group.positions()]
        return sorted(found, key=lambda p: (p.account, p.market, p.symbol, p.position_side))

    @cached_property
    def problems(self) -> list[Problem]:
        found = [
            problem for _, group in sorted(self._groups.items()) for problem in group.problems()
        ]
        return [*found, *self._homeless]

    def _add(self, fills: list[Fill], funding: list[Funding]) -> None:
        for name in ("matches", "trades", "positions", "problems"):
            self.__dict__.pop(name, None)
        events: dict[GroupKey, list[Event]] = {}
        for fill in fills:
            events.setdefault(group_key(fill), []).append(fill)
        for item in funding:
            events.setdefault(("", "futures", item.symbol), []).append(item)
        self._give_transfers_a_home(events)
        with localcontext(PRECISION):
            for key, found in events.items():
                group = self._groups.get(key)
                if group is None:
                    group = self._groups[key] = Group(
                        self.method, self._prices, self._rules_of(key[2])
                    )
                group.add(found)

    def _give_transfers_a_home(self, events: dict[GroupKey, list[Event]]) -> None:
        """A transfer names an asset, not a symbol: what comes in belongs to the spot symbol of that
        base which trades next, what goes out to the one that traded last. Where new fills may
        change that, the symbols of that base are computed again whole."""
        if not self._transfers:
            return
        moved = {transfer.asset for transfer in self._transfers}
        for key, found in events.items():
            spot = [e for e in found if isinstance(e, Fill) and e.market == "spot"]
            if spot and spot[0].base in moved:
                self._fills.setdefault(key, []).extend(spot)
        bases = {fills[0].base for key, fills in self._fills.items() if key in events}
        if self._groups and not bases:
            return
        for key, fills in self._fills.items():
            if fills[0].base in bases:
                self._groups.pop(key, None)
                events[key] = list(fills)
        self._homeless = []
        traded: dict[str, list[tuple[Any, GroupKey]]] = {}
        for key, fills in self._fills.items():
            traded.setdefault(fills[0].base, []).extend((fill.time, key) for fill in fills)
        for moments in traded.values():
            moments.sort()
        for transfer in self._transfers:
            self._settle_transfer(transfer, traded.get(transfer.asset, []), events)

    def _settle_transfer(
        self,
        transfer: Transfer,
        traded: list[tuple[Any, GroupKey]],
        events: dict[GroupKey, list[Event]],
    ) -> None:
        if not traded:
            if transfer.quantity < 0 or transfer.cost is not None:
                self._homeless.append(
                    Problem(
                        "transfer_without_symbol", transfer.id, transfer.quantity,
                        f"{transfer.quantity} {transfer.asset} moved, but no symbol trades it",
                    )
                )  # fmt: skip
            return
        later = bisect_left(traded, transfer.time, key=lambda moment: moment[0])
        index = later if transfer.quantity > 0 else later - 1
        _, key = traded[min(max(index, 0), len(traded) - 1)]
        if key in events:
            events[key].append(transfer)

    def _rules_of(self, symbol: str) -> Rules:
        rule = self._rules.get(symbol)
        if rule is None:
            return Rules()
        step_size, min_notional = (
            (rule.get("step_size", 0), rule.get("min_notional", 0))
            if isinstance(rule, Mapping)
            else rule
        )
        return Rules(exact(step_size, "step_size"), exact(min_notional, "min_notional"))


def group_key(fill: Fill) -> GroupKey:
    """Spot books stand alone; a symbol's futures books share their funding."""
    if fill.market == "spot":
        return (fill.account, fill.market, fill.symbol)
    return ("", "futures", fill.symbol)
