"""Bans of this address in PostgreSQL: a Redis that was wiped must not let anybody call."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from market.models import ExchangeBan

# One that ended so shortly ago is told still: the exchange is about to be asked again.
JUST_ENDED = timedelta(minutes=1)


def remember(host: str, seconds: float, reason: str = "") -> None:
    """The longer one stays."""
    until = timezone.now() + timedelta(seconds=seconds)
    ban, is_new = ExchangeBan.objects.get_or_create(
        host=host, defaults={"until": until, "reason": reason}
    )
    if not is_new and ban.until < until:
        ban.until, ban.reason = until, reason
        ban.save(update_fields=["until", "reason"])


def standing() -> QuerySet[ExchangeBan]:
    """Hosts that want to be left alone just now."""
    return ExchangeBan.objects.filter(until__gt=timezone.now() - JUST_ENDED).order_by("host")


def seconds_left(host: str) -> float:
    """0 when nothing forbids to call."""
    ban = ExchangeBan.objects.filter(host=host, until__gt=timezone.now()).first()
    return 0.0 if ban is None else (ban.until - timezone.now()).total_seconds()
