"""How a user's journal is shown."""

from accounts.models import User
from journal.models import Preferences


def preferences_of(user: User) -> Preferences:
    preferences, _ = Preferences.objects.get_or_create(user=user)
    return preferences
