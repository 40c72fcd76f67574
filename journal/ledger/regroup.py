"""Round trips as the trader sees them: several joined into one, or one cut in two at a fill.

Nothing is computed anew: the parts have the matches of the whole, so that their sums are its sums.
Only closed round trips are joined or cut; a wish whose trades are not there does nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import Any, NamedTuple

from journal.ledger.engine import PRECISION
from journal.ledger.records import ZERO, Funding, Match, Trade

FillId = str | int


@dataclass(frozen=True)
class Wishes:
    """`joined`: key -> the key of the trade that it is joined to; `cuts`: key -> fills (text) with
    which a new part begins."""

    joined: Mapping[str, str] = field(default_factory=dict)
    cuts: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Owned(NamedTuple):
    """A match and the key of the trade that it closed something of."""

    symbol: str
    match: Match
    key: str


@dataclass(frozen=True)
class Regrouped:
    """`by_hand` says of a key "merge" or "split"."""

    trades: list[Trade]
    by_hand: dict[str, str]
    matches: list[Owned]


def regroup(
    trades: Sequence[Trade],
    wishes: Wishes,
    matches: Iterable[tuple[str, Match]],
    times: Mapping[tuple[str, Any], Any],
    funding: Iterable[Funding] = (),
) -> Regrouped:
    """`matches` with their symbols; `times`: (symbol, fill id) -> when. In the order of opening."""
    with localcontext(PRECISION):
        return _regroup(trades, wishes, list(_owned(trades, matches)), times, list(funding))


def _regroup(
    trades: Sequence[Trade],
    wishes: Wishes,
    owned: Sequence[Owned],
    times: Mapping[tuple[str, Any], Any],
    funding: Sequence[Funding],
) -> Regrouped:
    by_hand: dict[str, str] = {}
    homes: dict[str, str] = {}
    kept = _join(trades, wishes.joined, by_hand, homes)
    mine: dict[str, list[Match]] = {key: [] for key in wishes.cuts if key not in homes}
    for item in owned:
        if item.key in mine:
            mine[item.key].append(item.match)
    found: list[Trade] = []
    part_of: dict[tuple[str, FillId], str] = {}
    for trade in kept:
        parts = [trade]
        if trade.key in mine and trade.closed_at is not None:
            parts = _cut(trade, wishes.cuts[trade.key], mine[trade.key], times, funding)
        if len(parts) > 1:
            by_hand.update(dict.fromkeys((part.key for part in parts), "split"))
            part_of.update({(trade.key, id): part.key for part in parts for id in part.fill_ids})
        found += parts
    matches = [
        item._replace(
            key=part_of.get((item.key, item.match.closed_by), homes.get(item.key, item.key))
        )
        for item in owned
    ]
    found.sort(key=lambda trade: (trade.opened_at, trade.key))
    return Regrouped(found, by_hand, matches)


def _owned(trades: Sequence[Trade], matches: Iterable[tuple[str, Match]]) -> Iterator[Owned]:
    """Each match with the round trip that it closed something of; of a flip that is the earlier
    one, and a residual lot belongs to the one that closed it."""
    owners: dict[tuple[str, FillId], list[Trade]] = {}
    for trade in trades:
        for fill_id in trade.fill_ids:
            owners.setdefault((trade.symbol, fill_id), []).append(trade)
    for symbol, match in matches:
        closers = owners.get((symbol, match.closed_by), [])
        openers = owners.get((symbol, match.opened_by), [])
        both = [trade for trade in closers if trade in openers]
        owner = next(iter(both or closers), None)
        if owner is not None:
            yield Owned(symbol, match, owner.key)


def may_join(trades: Sequence[Trade]) -> bool:
    """Closed, of one book and one direction, and at least two."""
    books = {(trade.key.rpartition(":")[0], trade.direction) for trade in trades}
    return len(trades) > 1 and len(books) == 1 and all(t.closed_at is not None for t in trades)


def _join(
    trades: Sequence[Trade],
    joined: Mapping[str, str],
    by_hand: dict[str, str],
    homes: dict[str, str],
) -> list[Trade]:
    """`homes` gets the key of the whole for the key of each joined trade."""
    groups: dict[str, list[Trade]] = {}
    for trade in trades:
        groups.setdefault(joined.get(trade.key, trade.key), []).append(trade)
    found: list[Trade] = []
    for key, group in groups.items():
        if len(group) > 1 and may_join(group) and any(trade.key == key for trade in group):
            found.append(_whole(key, group))
            by_hand[key] = "merge"
            homes.update({trade.key: key for trade in group})
        else:
            found += group
    return found


def _whole(key: str, group: Sequence[Trade]) -> Trade:
    quantity = sum((trade.quantity for trade in group), ZERO)
    entered = sum((trade.entry_price * trade.quantity for trade in group), ZERO)
    left = sum(((trade.exit_price or ZERO) * trade.quantity for trade in group), ZERO)
    sums: dict[str, Any] = {
        name: sum((getattr(trade, name) for trade in group), ZERO)
        for name in ("gross", "fees", "funding", "net")
    }
    return replace(
        group[0], key=key, opened_at=min(trade.opened_at for trade in group),
        closed_at=max(trade.closed_at for trade in group), quantity=quantity,
        entry_price=entered / quantity if quantity else group[0].entry_price,
        exit_price=left / quantity if quantity else group[0].exit_price,
        fill_ids=tuple(dict.fromkeys(id for trade in group for id in trade.fill_ids)), **sums,
    )  # fmt: skip


def _cut(
    trade: Trade,
    cuts: Sequence[str],
    matches: Sequence[Match],
    times: Mapping[tuple[str, Any], Any],
    funding: Sequence[Funding],
) -> list[Trade]:
    """The parts in order; a cut whose part would have closed nothing is none."""
    pieces = _pieces(trade, cuts, {match.closed_by for match in matches})
    if len(pieces) == 1:
        return [trade]
    shares = _funding(trade, [times.get((trade.symbol, piece[0])) for piece in pieces[1:]], funding)
    parts = []
    for number, piece in enumerate(pieces):
        ids = set(piece)
        mine = [match for match in matches if match.closed_by in ids]
        quantity = sum((match.quantity for match in mine), ZERO)
        gross = sum((match.gross for match in mine), ZERO)
        fees = sum((match.fees for match in mine), ZERO)
        opened = [times.get((trade.symbol, match.opened_by)) for match in mine]
        begun = min([moment for moment in opened if moment is not None], default=trade.opened_at)
        ended = max(times[trade.symbol, match.closed_by] for match in mine)
        parts.append(
            replace(
                trade, key=trade.key if number == 0 else f"{trade.key}/{piece[0]}",
                opened_at=trade.opened_at if number == 0 else max(begun, trade.opened_at),
                closed_at=ended, quantity=quantity,
                entry_price=sum((m.entry_price * m.quantity for m in mine), ZERO) / quantity,
                exit_price=sum((m.exit_price * m.quantity for m in mine), ZERO) / quantity,
                gross=gross, fees=fees, funding=shares[number],
                net=gross - fees + shares[number], fill_ids=tuple(piece),
            )
        )  # fmt: skip
    return _with_the_rest(trade, parts)


def _pieces(trade: Trade, cuts: Sequence[str], closing: set[FillId]) -> list[tuple[FillId, ...]]:
    """The trade's fills, cut where a cut leaves something closed on both sides of it."""
    begins = set(cuts)
    pieces: list[list[FillId]] = [[]]
    for index, fill_id in enumerate(trade.fill_ids):
        rest = trade.fill_ids[index:]
        has_closed = not closing.isdisjoint(pieces[-1])
        if str(fill_id) in begins and has_closed and not closing.isdisjoint(rest):
            pieces.append([])
        pieces[-1].append(fill_id)
    return [tuple(piece) for piece in pieces]


def _funding(trade: Trade, moments: Sequence[Any], funding: Sequence[Funding]) -> list[Decimal]:
    """The trade's funding by the time of each payment; the last part takes what rounding leaves."""
    paid = [
        (item.time, item.amount)
        for item in funding
        if item.symbol == trade.symbol and trade.opened_at <= item.time <= trade.closed_at
    ]
    total = sum((amount for _, amount in paid), ZERO)
    shares = [ZERO] * (len(moments) + 1)
    for time, amount in paid if total else ():
        number = sum(moment is not None and time >= moment for moment in moments)
        shares[number] += trade.funding * amount / total
    shares[-1] += trade.funding - sum(shares, ZERO)
    return shares


def _with_the_rest(trade: Trade, parts: list[Trade]) -> list[Trade]:
    """What the matches do not hold (a fee of a lot at unknown cost) stays with the last part, so
    that the parts add up to the whole."""
    last = parts[-1]
    gross = last.gross + trade.gross - sum((part.gross for part in parts), ZERO)
    fees = last.fees + trade.fees - sum((part.fees for part in parts), ZERO)
    parts[-1] = replace(last, gross=gross, fees=fees, net=gross - fees + last.funding)
    return parts
