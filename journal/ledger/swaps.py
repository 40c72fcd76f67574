"""Coins that the exchange swapped into one another (money.md 2.1): their books run side by side,
since lots go from one to the other, and may come back."""

import heapq
from collections.abc import Iterator, Mapping, Sequence

from journal.ledger.moves import CONVERSION, Move, Rank, in_order

# (account, coin)
Key = tuple[str, str]


def families(moves: Mapping[Key, Sequence[Move]]) -> list[list[Key]]:
    """The keys by name; those that swaps connect stand together."""
    families: dict[Key, list[Key]] = {key: [key] for key in sorted(moves)}
    for key, own in moves.items():
        for move in own:
            partner = (key[0], move.partner)
            if move.kind != "swapped" or partner not in families:
                continue
            one, other = families[key], families[partner]
            if one is not other:
                one += other
                families.update(dict.fromkeys(other, one))
    return [sorted(family) for key, family in families.items() if key == min(family)]


def side_by_side(
    family: Sequence[Key], moves: Mapping[Key, Sequence[Move]]
) -> Iterator[tuple[Key, Move]]:
    """All moves of a family in the order of time; of one swap what leaves comes first."""
    streams = [[(_rank(move), key, move) for move in in_order(moves[key])] for key in family]
    for _rank_of, key, move in heapq.merge(*streams, key=lambda item: item[0]):
        yield key, move


def _rank(move: Move) -> tuple[object, ...]:
    """Only a conversion of one instant has to wait for another coin's."""
    rank: Rank = move.rank
    return rank if rank[1] == CONVERSION else rank[:2]
