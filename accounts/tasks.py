"""Celery tasks of accounts: ids go in, never a key."""

from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_ready
from django.core.cache import cache
from kombu.exceptions import OperationalError

from accounts.models import ExchangeAccount
from accounts.services import connecting
from accounts.vault import holders

log = structlog.get_logger(__name__)

State = ExchangeAccount.State
ONCE_SECONDS = 10


@worker_ready.connect
def say_which_keys_we_see(**kwargs: Any) -> None:
    holders.start("worker")


@shared_task(name="accounts.check_account")
def check_account(account_id: str) -> None:
    connecting.check(account_id)


def check_soon(account: ExchangeAccount) -> None:
    """In a worker, once: asked again within seconds it is the same look. Without a broker the next
    round of `check_accounts` looks."""
    if not cache.add(f"check:{account.pk}:{account.api_key_hash}:{account.state}", 1, ONCE_SECONDS):
        return
    try:
        check_account.delay_on_commit(str(account.pk))
    except OperationalError as error:
        log.warning("check not queued", account=str(account.pk), error=type(error).__name__)


@shared_task(name="accounts.check_accounts")
def check_accounts() -> None:
    """Every few minutes: permissions may have changed, keys may have been revoked."""
    watched = [State.NEW, State.CHECKING, State.SYNCING, State.LIVE, State.STALE, State.BROKEN]
    rows = ExchangeAccount.objects.here().filter(state__in=watched).exclude(api_key=b"")
    for pk in rows.values_list("pk", flat=True):
        check_account.apply_async((str(pk),), expires=280)
