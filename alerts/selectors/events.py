"""What happened, newest first, for lists and the header."""

from uuid import UUID

from django.db.models import Q

from accounts.models import User
from alerts.models import AlertEvent

MOST, DEFAULT = 1000, 100


class BadCursor(ValueError):
    pass


def page(
    user: User, *, limit: int = DEFAULT, cursor: str = "", alert_id: int | None = None
) -> tuple[list[AlertEvent], str | None]:
    """(events with their deliveries, the cursor of the next page). Raises BadCursor."""
    events = AlertEvent.objects.visible_to(user).prefetch_related("deliveries")
    if alert_id is not None:
        events = events.filter(alert=alert_id)
    if cursor:
        last = _event(user, cursor)
        events = events.filter(
            Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk)
        )
    rows = list(events[: limit + 1])
    return rows[:limit], str(rows[limit - 1].pk) if len(rows) > limit else None


def unread(user: User) -> int:
    return AlertEvent.objects.visible_to(user).filter(is_read=False).count()


def mark_read(user: User, ids: list[UUID] | None = None) -> int:
    """Some of a user's events, or all of them. Returns how many."""
    events = AlertEvent.objects.visible_to(user).filter(is_read=False)
    if ids is not None:
        events = events.filter(pk__in=ids)
    return events.update(is_read=True)


def _event(user: User, cursor: str) -> AlertEvent:
    try:
        event = AlertEvent.objects.visible_to(user).filter(pk=UUID(cursor)).first()
    except ValueError:
        event = None
    if event is None:
        raise BadCursor("expected the `next` of an answer before")
    alert_event: AlertEvent = event
    return alert_event
