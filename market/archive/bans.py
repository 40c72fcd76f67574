"""Bans of this address in PostgreSQL: a Redis that was wiped must not let anybody call."""

from datetime import timedelta

from django.utils import timezone

from market.models import ExchangeBan


def remember(host: str, seconds: float) -> None:
    """The longer one stays."""
    until = timezone.now() + timedelta(seconds=seconds)
    ban, is_new = ExchangeBan.objects.get_or_create(host=host, defaults={"until": until})
    if not is_new and ban.until < until:
        ban.until = until
        ban.save(update_fields=["until"])


def seconds_left(host: str) -> float:
    """0 when nothing forbids to call."""
    ban = ExchangeBan.objects.filter(host=host, until__gt=timezone.now()).first()
    return 0.0 if ban is None else (ban.until - timezone.now()).total_seconds()
