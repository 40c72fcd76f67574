"""Signing in by name or by address."""

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import filter_users_by_email
from django.http import HttpRequest

from accounts.models import User


class SignInBackend(AuthenticationBackend):  # type: ignore[misc]
    """One password is checked once, whether a name or an address is given; where nobody is meant,
    one is hashed all the same. Nobody learns from the time who exists."""

    def _authenticate(self, request: HttpRequest | None, **credentials: str) -> User | None:
        name = credentials.get("username") or credentials.get("email") or ""
        password = credentials.get("password") or ""
        by_name = User.objects.filter(username__iexact=name)[:1]
        by_address = filter_users_by_email(name, prefer_verified=True, for_login=True)[:1]
        # two only where somebody has taken another's address for a name
        meant: list[User] = [*by_name, *by_address]
        for user in dict.fromkeys(meant):
            if self._check_password(user, password):
                known: User = user
                return known
        return None
