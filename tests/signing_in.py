"""Sessions as a sign-in leaves them: fresh or old, with or without a second factor."""

import time

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client

from accounts.models import User

USER_KEY = "account_authentication_methods_user"
LONG_AGO = 3600


def sign_in(client: Client, user: User, *, fresh: bool = True, factor: bool = False) -> Client:
    """`fresh`: signed in a moment ago, else an hour ago; `factor`: with a second factor too."""
    client.force_login(user)
    at = time.time() - (0 if fresh else LONG_AGO)
    records = [{"method": "password", "at": at}]
    if factor:
        records.append({"method": "mfa", "at": at, "reauthenticated": fresh})
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = records
    session[USER_KEY] = str(user.pk)
    session.save()
    return client
