"""What every page of a signed-in user knows of how it shall be shown."""

from django.http import HttpRequest

from accounts.models import User
from journal.selectors.preferences import preferences_of


def preferences(request: HttpRequest) -> dict[str, object]:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    return {"preferences": preferences_of(user), "currency": user.report_currency}
