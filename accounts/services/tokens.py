"""Personal API tokens: made once, shown once, looked up by hash."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import scopes as all_scopes
from accounts.models import ApiToken, User
from accounts.services import auditing
from accounts.vault import keyring
from lib import envelope
from lib.networks import network_of, parse_networks
from lib.secret import Secret
from market.live.ending import access_name, end_sockets

PREFIX = "tl_"
KEYID_CHARACTERS = 8
DEFAULT_DAYS, MOST_DAYS = 90, 366
# How often the last use is written down, so that reading does not write each time.
LAST_USED_STEP = timedelta(minutes=1)


class CannotIssue(Exception):
    """Refused before anything was made; the sentence is for the user."""


@dataclass(frozen=True)
class Binding:
    """The key that a token's requests have to be signed with: `kind` is hmac or ed25519."""

    kind: str
    key: Secret


def issue_token(
    *,
    user: User,
    name: str = "",
    scopes: Sequence[str] = all_scopes.DEFAULT,
    days: int = DEFAULT_DAYS,
    networks: Sequence[str] = (),
    binding: Binding | None = None,
    actor: User | None = None,
) -> str:
    """Returns the new token's text, which is nowhere kept. Raises CannotIssue, KeyProblem."""
    try:
        names = all_scopes.parse(scopes)
        allowed = [str(network) for network in parse_networks(networks)]
    except ValueError as error:
        raise CannotIssue(str(error)) from error
    if not 1 <= days <= MOST_DAYS:
        raise CannotIssue(f"expected an end within 1 to {MOST_DAYS} days, was {days}")
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        user=user,
        name=name,
        digest=ApiToken.digest_of(token),
        prefix=token[:KEYID_CHARACTERS],
        scopes=names,
        networks=allowed,
        expires_at=timezone.now() + timedelta(days=days),
    )
    _store(row, binding, actor or user)
    return token


@transaction.atomic
def _store(row: ApiToken, binding: Binding | None, actor: User) -> None:
    """One at a time for each user, so that the limit holds."""
    User.objects.select_for_update().get(pk=row.user_id)
    ApiToken.objects.filter(user=row.user, expires_at__lte=timezone.now()).delete()
    if row.user.api_tokens.count() >= settings.TOKENS_PER_USER:
        raise CannotIssue(
            f"expected at most {settings.TOKENS_PER_USER} tokens: revoke one that is not used"
        )
    row.save(force_insert=True)
    if binding is not None:
        row.key_kind = binding.kind
        row.key = keyring.seal(binding.key, row.binding("key"))
        row.kek_id = envelope.key_id_of(row.key)
        row.save(update_fields=["key_kind", "key", "kek_id"])
    auditing.record(
        owner=row.user,
        actor=actor,
        action="token made",
        subject=row.prefix,
        why=" ".join(row.scopes),
    )


def find_token(*, token: str) -> ApiToken | None:
    """The usable token of that text with its user, None for anything else."""
    usable = ApiToken.objects.usable().select_related("user")
    return usable.filter(digest=ApiToken.digest_of(token)).first()


def user_of_token(*, token: str) -> User | None:
    """The active owner of a token, None for anything else."""
    row = find_token(token=token)
    return None if row is None else row.user


def note_use(row: ApiToken, address: str) -> None:
    """When, and from which neighbourhood; at most once a minute."""
    now = timezone.now()
    if row.last_used_at is None or row.last_used_at < now - LAST_USED_STEP:
        ApiToken.objects.filter(pk=row.pk).update(
            last_used_at=now, last_used_from=network_of(address)
        )


def key_of(row: ApiToken) -> Secret:
    """Raises KeyProblem, NotOurs."""
    return keyring.unseal(bytes(row.key), row.binding("key"))


@transaction.atomic
def revoke_token(*, user: User, token_id: int) -> bool:
    """Delete one of the user's own tokens. False when there is none of that id."""
    token = ApiToken.objects.filter(user=user, pk=token_id).first()
    if token is None:
        return False
    auditing.record(owner=user, actor=user, action="token revoked", subject=token.prefix)
    _delete(token)
    return True


@transaction.atomic
def revoke_all(*, user: User, why: str) -> int:
    """Every token of a user, and the sockets that they opened."""
    tokens = list(user.api_tokens.all())
    for token in tokens:
        _delete(token)
    if tokens:
        auditing.record(owner=user, action="tokens revoked", subject=str(len(tokens)), why=why)
    return len(tokens)


def _delete(token: ApiToken) -> None:
    access = access_name("token", token.digest)
    token.delete()
    transaction.on_commit(lambda: end_sockets(access))
