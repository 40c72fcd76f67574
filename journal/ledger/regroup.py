"""Round trips as the trader sees them: several joined into one, or one cut in two at a fill.

Nothing is computed anew: the parts have the matches of the whole, so that their sums are its sums.
Only closed round trips are joined or cut; a wish whose trades are not there does nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from typing import Any

from journal.ledger.engine import PRECISION
from journal.ledger.records import ZERO, Funding, Match, Trade

FillId = str | int


@dataclass(frozen=True)
class Wishes:
    """`joined`: key -> the key of the trade that it is joined to; `cuts`: key -> fills (text) with
    which a new part begins."""

    joined: Mapping[str, str] = field(default_factory=dict)
    cuts: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Regrouped:
    """`by_hand` says of a key "merge" or "split"."""

    trades: list[Trade]
    by_hand: dict[str, str]


def regroup(
    trades: Sequence[Trade],
    wishes: Wishes,
    matches: Iterable[tuple[str, Match]],
    times: Mapping[tuple[str, Any], Any],
    funding: Iterable[Funding] = (),
) -> Regrouped:
    """`matches` with their symbols; `times`: (symbol, fill id) -> when. In the order of opening."""
    with localcontext(PRECISION):
        return _regroup(trades, wishes, matches, times, list(funding))


def _regroup(
    trades: Sequence[Trade],
    wishes: Wishes,
    matches: Iterable[tuple[str, Match]],
    times: Mapping[tuple[str, Any], Any],
    funding: Sequence[Funding],
) -> Regrouped:
    by_hand: dict[str, str] = {}
    kept = _join(trades, wishes.joined, by_hand)
    cuttable = {key for key in wishes.cuts if key not in by_hand}
    closing: dict[tuple[str, Any], list[Match]] = {}
    if cuttable:
        for symbol, match in matches:
            closing.setdefault((symbol, match.closed_by), []).append(match)
    found: list[Trade] = []
    for trade in kept:
        parts = [trade]
        if trade.key in cuttable and trade.closed_at is not None:
            parts = _cut(trade, wishes.cuts[trade.key], closing, times, funding)
        if len(parts) > 1:
            by_hand.update(dict.fromkeys((part.key for part in parts), "split"))
        found += parts
    return Regrouped(sorted(found, key=lambda trade: (trade.opened_at, trade.key)), by_hand)


def may_join(trades: Sequence[Trade]) -> bool:
    """Closed, of one book and one direction, and at least two."""
    books = {(trade.key.rpartition(":")[0], trade.direction) for trade in trades}
    return len(trades) > 1 and len(books) == 1 and all(t.closed_at is not None for t in trades)


def _join(
    trades: Sequence[Trade], joined: Mapping[str, str], by_hand: dict[str, str]
) -> list[Trade]:
    groups: dict[str, list[Trade]] = {}
    for trade in trades:
        groups.setdefault(joined.get(trade.key, trade.key), []).append(trade)
    found: list[Trade] = []
    for key, group in groups.items():
        if len(group) > 1 and may_join(group) and any(trade.key == key for trade in group):
            found.append(_whole(key, group))
            by_hand[key] = "merge"
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
    closing: Mapping[tuple[str, Any], Sequence[Match]],
    times: Mapping[tuple[str, Any], Any],
    funding: Sequence[Funding],
) -> list[Trade]:
    """The parts in order; the whole where a part would have closed nothing."""
    names = [str(fill_id) for fill_id in trade.fill_ids]
    at = sorted({names.index(cut) for cut in cuts if cut in names and names.index(cut) > 0})
    bounds = [0, *at, len(names)]
    pieces = [trade.fill_ids[a:b] for a, b in zip(bounds, bounds[1:], strict=False)]
    mine = [_closed_by(trade.symbol, piece, closing, trade.fill_ids) for piece in pieces]
    if not at or not all(mine):
        return [trade]
    shares = _funding(trade, [times.get((trade.symbol, piece[0])) for piece in pieces[1:]], funding)
    parts = []
    for number, (piece, matches) in enumerate(zip(pieces, mine, strict=True)):
        quantity = sum((match.quantity for match in matches), ZERO)
        gross = sum((match.gross for match in matches), ZERO)
        fees = sum((match.fees for match in matches), ZERO)
        opened = [times.get((trade.symbol, match.opened_by)) for match in matches]
        begun = min([moment for moment in opened if moment is not None], default=trade.opened_at)
        ended = max(times[trade.symbol, match.closed_by] for match in matches)
        parts.append(
            replace(
                trade, key=trade.key if number == 0 else f"{trade.key}/{piece[0]}",
                opened_at=trade.opened_at if number == 0 else begun, closed_at=ended,
                quantity=quantity,
                entry_price=sum((m.entry_price * m.quantity for m in matches), ZERO) / quantity,
                exit_price=sum((m.exit_price * m.quantity for m in matches), ZERO) / quantity,
                gross=gross, fees=fees, funding=shares[number],
                net=gross - fees + shares[number], fill_ids=tuple(piece),
            )
        )  # fmt: skip
    return _with_the_rest(trade, parts)


def _closed_by(
    symbol: str,
    piece: Sequence[FillId],
    closing: Mapping[tuple[str, Any], Sequence[Match]],
    whole: Sequence[FillId],
) -> list[Match]:
    """What these fills closed of the trade, and not of another one."""
    inside = set(whole)
    return [
        match
        for fill_id in piece
        for match in closing.get((symbol, fill_id), ())
        if match.opened_by in inside
    ]


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
