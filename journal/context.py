"""What every page of a signed-in user knows of how it shall be shown."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from journal.models import Guest, Preferences
from journal.services import guests
from journal.views.account_pill import pill_of


def preferences(request: HttpRequest) -> dict[str, object]:
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {"guests_are_welcome": guests.are_welcome()}
    # a page shows and writes nothing: its user may be gone by now
    chosen = Preferences.objects.filter(user=user).first() or Preferences(user=user)
    is_guest = user.username.startswith(guests.PREFIX)
    return {
        "preferences": chosen,
        # what the sums are in, which is not yet what was asked for while they are computed anew
        "currency": chosen.built_currency,
        "pill": SimpleLazyObject(lambda: pill_of(request, user)),
        "guest": Guest.objects.filter(user=user).first() if is_guest else None,
    }
