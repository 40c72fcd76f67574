"""What every page of a signed-in user knows of how it shall be shown."""

from django.http import HttpRequest

from accounts.models import User
from journal.selectors.preferences import preferences_of


def preferences(request: HttpRequest) -> dict[str, object]:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    chosen = preferences_of(user)
    # what the sums are in, which is not yet what was asked for while they are computed anew
    return {"preferences": chosen, "currency": chosen.built_currency}
