"""Personal API tokens: made once, shown once, looked up by hash."""

import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import ApiToken, User
from market.live.ending import access_name, end_sockets

PREFIX = "tl_"
# How often the last use is written down, so that reading does not write each time.
LAST_USED_STEP = timedelta(minutes=1)


def issue_token(*, user: User) -> str:
    """Returns the new token's text, which is nowhere kept."""
    token = PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(user=user, digest=ApiToken.digest_of(token), prefix=token[:8])
    return token


def user_of_token(*, token: str) -> User | None:
    """The active owner of a token, None for anything else."""
    found = (
        ApiToken.objects.select_related("user")
        .filter(digest=ApiToken.digest_of(token), user__is_active=True)
        .first()
    )
    if found is None:
        return None
    now = timezone.now()
    if found.last_used_at is None or found.last_used_at < now - LAST_USED_STEP:
        ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
    return found.user


def revoke_token(*, user: User, token_id: int) -> bool:
    """Delete one of the user's own tokens. False when there is none of that id."""
    token = ApiToken.objects.filter(user=user, pk=token_id).first()
    if token is None:
        return False
    token.delete()
    transaction.on_commit(lambda: end_sockets(access_name("token", token.digest)))
    return True
