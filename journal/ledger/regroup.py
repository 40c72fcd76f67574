"""Trades as their owner sees them: several joined into one, or one cut in two at a fill.

Nothing is computed anew: the parts have the matches of the whole, so that their sums are its sums.
Only closed trades are joined or cut; a wish whose trades are not there does nothing. A wish names
trades by their keys; where a key has changed, because older history came or another grouping was
chosen, the trade that has the key's fill is meant.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import Any

from journal.ledger.records import ONE, PRECISION, ZERO, Funding, Id, Match, Trade


@dataclass(frozen=True)
class Wishes:
    """`joined`: key -> the key of the trade that it is joined to; `cuts`: key -> fills (text) with
    which a new part begins."""

    joined: Mapping[str, str] = field(default_factory=dict)
    cuts: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Regrouped:
    """`by_hand` says of a key "merge" or "split"; `homes` which trades the ledger's key became, in
    order, each with the moment from which it begins (None: from the start)."""

    trades: list[Trade]
    by_hand: dict[str, str]
    homes: dict[str, list[tuple[Any, str]]]

    def home_of(self, key: str, time: Any) -> str:
        """Where what happened to the ledger's trade at that time belongs now."""
        home = key
        for begins, part in self.homes.get(key, ()):
            if begins is None or begins <= time:
                home = part
        return home


def regroup(
    trades: Sequence[Trade],
    wishes: Wishes,
    times: Mapping[tuple[str, Any], Any],
    funding: Iterable[Funding] = (),
) -> Regrouped:
    """`times`: (symbol, fill id) -> when. In the order of opening."""
    wishes = _named_anew(trades, wishes)
    by_hand: dict[str, str] = {}
    homes: dict[str, list[tuple[Any, str]]] = {}
    with localcontext(PRECISION):
        regrouped: list[Trade] = []
        for trade in _join(trades, wishes.joined, by_hand, homes):
            cuts = wishes.cuts.get(trade.key)
            is_cut = cuts and trade.closed_at is not None and trade.key not in by_hand
            parts = _cut(trade, cuts, times, list(funding)) if cuts and is_cut else [trade]
            if len(parts) > 1:
                by_hand.update(dict.fromkeys((part.key for part in parts), "split"))
                homes[trade.key] = [
                    (times.get(part.fills[0]) if number else None, part.key)
                    for number, part in enumerate(parts)
                ]
            regrouped += parts
    regrouped.sort(key=lambda trade: (trade.opened_at, trade.key))
    return Regrouped(regrouped, by_hand, homes)


def may_join(trades: Sequence[Trade]) -> bool:
    """Closed, of one book, direction and kind, and at least two."""
    kinds = {(t.asset, t.key.split(":")[0], t.direction, t.kind, _side(t)) for t in trades}
    return len(trades) > 1 and len(kinds) == 1 and all(t.closed_at is not None for t in trades)


def _side(trade: Trade) -> str:
    """A contract's position side; of a coin there is one."""
    words = trade.key.split(":")
    return words[3] if len(words) > 3 and words[1] != "spot" else ""


def _named_anew(trades: Sequence[Trade], wishes: Wishes) -> Wishes:
    if not wishes.joined and not wishes.cuts:
        return wishes
    keys = {trade.key for trade in trades}
    by_fill = {
        (symbol, str(fill_id)): trade.key
        for trade in trades
        if trade.kind == "trade"
        for symbol, fill_id in reversed(trade.fills)
    }

    def now(key: str) -> str:
        words = key.split(":")
        if key in keys or len(words) < 4:
            return key
        return by_fill.get((words[2], words[-1].partition("/")[0]), key)

    joined = {now(other): now(key) for other, key in wishes.joined.items()}
    return Wishes(
        {other: key for other, key in joined.items() if other != key},
        {now(key): fills for key, fills in wishes.cuts.items()},
    )


def _join(
    trades: Sequence[Trade],
    joined: Mapping[str, str],
    by_hand: dict[str, str],
    homes: dict[str, list[tuple[Any, str]]],
) -> list[Trade]:
    groups: dict[str, list[Trade]] = {}
    for trade in trades:
        groups.setdefault(joined.get(trade.key, trade.key), []).append(trade)
    kept: list[Trade] = []
    for key, group in groups.items():
        if len(group) > 1 and may_join(group) and any(trade.key == key for trade in group):
            kept.append(_whole(key, group))
            by_hand[key] = "merge"
            homes.update({trade.key: [(None, key)] for trade in group})
        else:
            kept += group
    return kept


def _whole(key: str, group: Sequence[Trade]) -> Trade:
    quantity = sum((trade.quantity for trade in group), ZERO)
    entered = sum((trade.entry_price * trade.quantity for trade in group), ZERO)
    left = sum(((trade.exit_price or ZERO) * trade.quantity for trade in group), ZERO)
    sums: dict[str, Any] = {
        name: sum((getattr(trade, name) for trade in group), ZERO)
        for name in ("gross", "fees", "funding", "net")
    }
    last = max(group, key=lambda trade: trade.closed_at)
    apart = sum((trade.apart * trade.quantity for trade in group), ZERO)
    return replace(
        group[0],
        key=key,
        opened_at=min(trade.opened_at for trade in group),
        closed_at=last.closed_at,
        ended_by=last.ended_by,
        quantity=quantity,
        entry_price=entered / quantity if quantity else group[0].entry_price,
        exit_price=left / quantity if quantity else group[0].exit_price,
        fill_ids=tuple(dict.fromkeys(id for trade in group for id in trade.fill_ids)),
        fills=tuple(dict.fromkeys(fill for trade in group for fill in trade.fills)),
        matches=tuple(match for trade in group for match in trade.matches),
        apart=apart / quantity if quantity else ZERO,
        **sums,
    )


def _cut(
    trade: Trade,
    cuts: Sequence[str],
    times: Mapping[tuple[str, Any], Any],
    funding: Sequence[Funding],
) -> list[Trade]:
    """The parts in order; a cut whose part would have closed nothing is none."""
    pieces = _pieces(trade, cuts)
    if len(pieces) == 1:
        return [trade]
    shares = _funding(trade, [times.get(piece[0]) for piece in pieces[1:]], funding)
    parts = []
    for number, piece in enumerate(pieces):
        fills = set(piece)
        matches = [m for m in trade.matches if (m.symbol, m.closed_by) in fills]
        parts.append(_part(trade, number, piece, matches, shares[number]))
    return _with_the_rest(trade, parts)


def _part(
    trade: Trade,
    number: int,
    fills: Sequence[tuple[str, Id]],
    matches: Sequence[Match],
    funding: Decimal,
) -> Trade:
    quantity = sum((match.quantity for match in matches), ZERO)
    gross = sum((match.gross for match in matches), ZERO)
    fees = sum((match.fees for match in matches), ZERO)
    apart = sum((match.apart * match.quantity for match in matches), ZERO)
    begun = min(
        (match.opened_at for match in matches if match.opened_at is not None),
        default=trade.opened_at,
    )
    return replace(
        trade,
        key=trade.key if number == 0 else f"{trade.key}/{fills[0][1]}",
        opened_at=trade.opened_at if number == 0 else max(begun, trade.opened_at),
        closed_at=max(match.time for match in matches),
        quantity=quantity,
        entry_price=sum((m.entry_price * m.quantity for m in matches), ZERO) / quantity,
        exit_price=sum((m.exit_price * m.quantity for m in matches), ZERO) / quantity,
        gross=gross,
        fees=fees,
        funding=funding,
        net=gross - fees + funding,
        fill_ids=tuple(dict.fromkeys(fill_id for _, fill_id in fills)),
        fills=tuple(fills),
        matches=tuple(matches),
        apart=apart / quantity,
    )


def _pieces(trade: Trade, cuts: Sequence[str]) -> list[list[tuple[str, Id]]]:
    """The trade's fills, cut where a cut leaves something closed on both sides of it."""
    closing = {(match.symbol, match.closed_by) for match in trade.matches}
    begins = set(cuts)
    pieces: list[list[tuple[str, Id]]] = [[]]
    for index, fill in enumerate(trade.fills):
        has_closed = not closing.isdisjoint(pieces[-1])
        will_close = not closing.isdisjoint(trade.fills[index:])
        if str(fill[1]) in begins and has_closed and will_close:
            pieces.append([])
        pieces[-1].append(fill)
    return pieces


def _funding(trade: Trade, moments: Sequence[Any], funding: Sequence[Funding]) -> list[Decimal]:
    """The trade's funding by the time of each payment; the last part takes what rounding leaves."""
    paid = [
        (item.time, item.amount)
        for item in funding
        if item.symbol == trade.symbol
        and item.kind in {"funding", "special"}
        and trade.opened_at <= item.time <= trade.closed_at
    ]
    total = sum((amount for _, amount in paid), ZERO)
    share = trade.funding / total if total else ONE
    shares = [ZERO] * (len(moments) + 1)
    for time, amount in paid if total or not trade.funding else ():
        number = sum(moment is not None and time >= moment for moment in moments)
        shares[number] += amount * share
    shares[-1] += trade.funding - sum(shares, ZERO)
    return shares


def _with_the_rest(trade: Trade, parts: list[Trade]) -> list[Trade]:
    """What the matches do not hold (fees returned later) stays with the last part, so that the
    parts add up to the whole."""
    last = parts[-1]
    gross = last.gross + trade.gross - sum((part.gross for part in parts), ZERO)
    fees = last.fees + trade.fees - sum((part.fees for part in parts), ZERO)
    parts[-1] = replace(last, gross=gross, fees=fees, net=gross - fees + last.funding)
    return parts
