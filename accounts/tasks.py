"""Celery tasks of accounts: ids go in, never a key."""

from datetime import timedelta
from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_ready
from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import CredentialUse, ExchangeAccount, Export
from accounts.services import connecting, erasing, exporting, removing, trading_keys
from accounts.vault import holders
from market.jobs.guarding import in_turn

log = structlog.get_logger(__name__)

State = ExchangeAccount.State
ONCE_SECONDS = 10
WHOLE_LOOK_AFTER = timedelta(days=1)
# of an account whose page is open
SHOWN_LOOK_AFTER = timedelta(minutes=5)
BROKEN_HOURS, BROKEN_DAYS = 6, 3
CREDENTIAL_USES_DAYS = 90


@worker_ready.connect
def say_which_keys_we_see(**kwargs: Any) -> None:
    holders.start("worker")


@shared_task(name="accounts.check_account")
def check_account(account_id: str, is_brief: bool = False) -> None:
    """`is_brief`: only what its key may do."""
    if is_brief:
        connecting.check_rights(account_id)
    else:
        connecting.check(account_id)
    account = ExchangeAccount.objects.here().filter(pk=account_id, state=State.LIVE).first()
    if account is not None:
        trading_keys.look_again(account)


def check_soon(account: ExchangeAccount) -> None:
    """In a worker, once: asked again within seconds it is the same look. Without a broker the next
    round of `check_accounts` looks."""
    key = account.api_key_hash.replace(" ", "-")
    if not cache.add(f"check:{account.pk}:{key}:{account.state}", 1, ONCE_SECONDS):
        return
    try:
        check_account.delay_on_commit(str(account.pk))
    except OperationalError as error:
        log.warning("check not queued", account=str(account.pk), error=type(error).__name__)


def check_shown(account: ExchangeAccount) -> None:
    """Somebody looks at it: so does a worker, where its last look is old."""
    old = timezone.now() - SHOWN_LOOK_AFTER
    if account.state == State.LIVE and (account.looked_at is None or account.looked_at < old):
        check_soon(account)


@shared_task(name="accounts.check_accounts")
def check_accounts() -> None:
    """Every few minutes: permissions may have changed, keys may have been revoked. Everything of a
    live account is looked at once a day, and when its owner opens its page. A key that is
    refused is asked a few times a day, and after some days no more until its owner says so."""
    watched = [State.NEW, State.CHECKING, State.SYNCING, State.LIVE, State.STALE]
    now = timezone.now()
    broken = Q(
        state=State.BROKEN,
        broken_since__gt=now - timedelta(days=BROKEN_DAYS),
        checked_at__lt=now - timedelta(hours=BROKEN_HOURS),
    )
    rows = ExchangeAccount.objects.here().filter(Q(state__in=watched) | broken)
    rows = rows.exclude(api_key=b"")
    for pk, state, looked_at in rows.values_list("pk", "state", "looked_at"):
        is_fresh = looked_at is not None and looked_at > now - WHOLE_LOOK_AFTER
        check_account.apply_async((str(pk), state == State.LIVE and is_fresh), expires=280)


@shared_task(name="accounts.export")
def make_export(export_id: int) -> None:
    exporting.make(export_id)


def export_soon(export: Export) -> None:
    """Without a broker `accounts.tidy` begins it."""
    try:
        make_export.delay_on_commit(export.pk)
    except OperationalError as error:
        log.warning("export not queued", error=type(error).__name__)


@shared_task(name="accounts.erase")
def erase_user(user_id: int) -> None:
    erasing.erase(user_id)


def erase_soon(user_id: int) -> None:
    """Without a broker `accounts.tidy` begins it."""
    try:
        erase_user.delay_on_commit(user_id)
    except OperationalError as error:
        log.warning("erasure not queued", error=type(error).__name__)


@shared_task(name="accounts.remove_account")
def remove_account(account_id: str) -> None:
    removing.remove(account_id)


def remove_soon(account_id: str) -> None:
    """Without a broker `accounts.tidy` begins it."""
    try:
        remove_account.delay_on_commit(account_id)
    except OperationalError as error:
        log.warning("removal not queued", error=type(error).__name__)


@shared_task(name="accounts.tidy")
def tidy() -> None:
    """What was asked for and has not begun, and what has ended."""
    in_turn("tidying", exporting.tidy)
    for pk in Export.objects.filter(state=Export.State.WAITING).values_list("pk", flat=True):
        make_export.apply_async((pk,), expires=280)
    for user_id in erasing.waiting():
        erase_user.apply_async((user_id,), expires=280)
    for account_id in removing.waiting():
        remove_account.apply_async((account_id,), expires=280)
    old = timezone.now() - timedelta(days=CREDENTIAL_USES_DAYS)
    CredentialUse.objects.filter(at__lt=old).delete()
