"""What is wrong with tapes, in PostgreSQL, for the status page."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from market.models import Trouble

ROWS_KEPT = timedelta(days=30)
SHOWN = 50
ALL = "*"


class News(NamedTuple):
    """A trouble of a tape, or with an empty text that it is over; key ALL: whatever was refused or
    parked before."""

    instrument_id: int
    kind: str
    key: str
    text: str


def keep(news: Sequence[News]) -> None:
    begun = {item.instrument_id for item in news if item.key == ALL}
    if begun:
        Trouble.objects.filter(instrument_id__in=begun).exclude(kind=Trouble.Kind.ROW).delete()
    for item in news:
        mine: dict[str, Any] = {
            "instrument_id": item.instrument_id,
            "kind": item.kind,
            "key": item.key[:80],
        }
        if item.text:
            Trouble.objects.update_or_create(**mine, defaults={"text": item.text[:1000]})
        elif item.key != ALL:
            Trouble.objects.filter(**mine).delete()
    if any(item.kind == Trouble.Kind.ROW for item in news):
        old = timezone.now() - ROWS_KEPT
        Trouble.objects.filter(kind=Trouble.Kind.ROW, updated_at__lt=old).delete()


def newest() -> QuerySet[Trouble]:
    """Of tapes that are followed; rows that were left out of any."""
    troubles = Trouble.objects.select_related("instrument").filter(
        Q(instrument__is_followed=True) | Q(kind=Trouble.Kind.ROW),
        instrument__venue=settings.VENUE,
    )
    return troubles.order_by("-updated_at")[:SHOWN]
