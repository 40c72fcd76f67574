"""The zone of a file that names none, told by what the exchange's API knows already: equal fills,
whole quarters of an hour apart."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, timedelta, tzinfo

from accounts.models import ExchangeAccount
from journal.files.found import FoundFill
from journal.files.zones import fixed
from journal.models import Fill, Source

FURTHEST = timedelta(hours=15)
# So many rows tell it; the rest has the same zone.
MOST_ASKED = 5000
# Of the rows that are known at all, so many have to agree.
SHARE = 0.9


def told_by_known(account: ExchangeAccount, rows: Sequence[FoundFill]) -> tzinfo | None:
    """None where nothing is known, or where it does not agree."""
    unplaced = [row for row in rows if row.place.zone is None][:MOST_ASKED]
    if not unplaced:
        return None
    votes: Counter[timedelta] = Counter()
    voters = 0
    known = _known(account, unplaced)
    for row in unplaced:
        offsets = {
            apart
            for fill in known.get(_key(row), ())
            if fixed(
                apart := row.place.moment.replace(tzinfo=UTC, microsecond=0)
                - fill.time.replace(microsecond=0)
            )
        }
        voters += bool(offsets)
        votes.update(offsets)
    if not votes:
        return None
    best = votes.most_common(2)
    is_alone = len(best) == 1 or best[1][1] < best[0][1]
    return fixed(best[0][0]) if is_alone and best[0][1] >= SHARE * voters else None


def _key(row: FoundFill) -> tuple[object, ...]:
    if row.trade_id is not None:
        return row.market, row.symbol, row.trade_id
    return row.market, row.symbol, row.side, row.price.normalize(), row.quantity.normalize()


def _known(
    account: ExchangeAccount, rows: Sequence[FoundFill]
) -> dict[tuple[object, ...], list[Fill]]:
    moments = [row.place.moment.replace(tzinfo=UTC) for row in rows]
    fills = Fill.objects.filter(
        account=account,
        symbol__in={row.symbol for row in rows},
        trade_id__gt=0,
        time__gte=min(moments) - FURTHEST,
        time__lte=max(moments) + FURTHEST,
    ).exclude(source=Source.FILE)
    known: dict[tuple[object, ...], list[Fill]] = defaultdict(list)
    for fill in fills.iterator(5000):
        known[fill.market, fill.symbol, fill.trade_id].append(fill)
        known[
            fill.market, fill.symbol, fill.side, fill.price.normalize(), fill.quantity.normalize()
        ].append(fill)
    return known
