"""What every page's header shows of alerts."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from alerts.selectors import events


def unread(request: HttpRequest) -> dict[str, Any]:
    """`alerts_unread`, counted only where a template asks."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    return {"alerts_unread": SimpleLazyObject(lambda: events.unread(user))}
