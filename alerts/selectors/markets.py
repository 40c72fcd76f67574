"""Markets that alerts look at: their tapes are kept."""

from collections.abc import Sequence

from alerts.conditions.kinds import KINDS
from alerts.models import Alert

OF_MARKETS = [kind.name for kind in KINDS.values() if kind.is_of_market]


def wanted_markets() -> Sequence[tuple[str, str]]:
    """Of everybody's alerts at work, the oldest alert's first."""
    at_work = Alert.objects.filter(
        kind__in=OF_MARKETS, is_paused=False, user__is_active=True
    ).order_by("pk")
    return list(dict.fromkeys(at_work.values_list("market", "symbol")))
