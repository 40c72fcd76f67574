"""The exchange's step sizes and minimum notionals by the time from which we saw them: a rule of
today never cuts a trade of last year (money.md 3.4)."""

from collections.abc import Iterable, Sequence

from django.utils import timezone

from journal.ledger import Rules
from journal.models import SeenRules
from market.models import Listing


def remember(venue: str, market: str) -> int:
    """Keep what the listings say now where it is not what was seen last. Returns how many."""
    newest: dict[str, SeenRules] = {}
    for row in SeenRules.objects.filter(venue=venue, market=market).order_by("seen_at"):
        newest[row.symbol] = row
    now = timezone.now()
    fresh = [
        SeenRules(
            venue=venue,
            market=market,
            symbol=listing.symbol,
            seen_at=now,
            step_size=listing.step_size,
            min_notional=listing.min_notional,
        )
        for listing in Listing.objects.filter(venue=venue, market=market)
        if _is_new(newest.get(listing.symbol), listing)
    ]
    SeenRules.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=1000)
    return len(fresh)


def _is_new(seen: SeenRules | None, listing: Listing) -> bool:
    return seen is None or (seen.step_size, seen.min_notional) != (
        listing.step_size,
        listing.min_notional,
    )


def rules_of(
    venue: str, market: str, symbols: Iterable[str]
) -> dict[str, Sequence[tuple[object, Rules]]]:
    """Symbol -> rules with the time from which they were seen; only of spot are they needed."""
    wanted = set(symbols)
    known: dict[str, list[tuple[object, Rules]]] = {}
    rows = SeenRules.objects.filter(venue=venue, market=market, symbol__in=wanted)
    for row in rows.order_by("seen_at"):
        known.setdefault(row.symbol, []).append(
            (row.seen_at, Rules(row.step_size, row.min_notional))
        )
    missing = wanted - set(known)
    for listing in Listing.objects.filter(venue=venue, market=market, symbol__in=missing):
        rule = Rules(listing.step_size, listing.min_notional)
        known[listing.symbol] = [(listing.refreshed_at, rule)]
    return dict(known)
