"""Celery tasks of accounts: ids go in, never a key."""

from typing import Any

from celery import shared_task
from celery.signals import worker_ready

from accounts.models import ExchangeAccount
from accounts.services import connecting
from accounts.vault import holders

State = ExchangeAccount.State


@worker_ready.connect
def say_which_keys_we_see(**kwargs: Any) -> None:
    holders.start("worker")


@shared_task(name="accounts.check_account")
def check_account(account_id: str) -> None:
    connecting.check(account_id)


@shared_task(name="accounts.check_accounts")
def check_accounts() -> None:
    """Every few minutes: permissions may have changed, keys may have been revoked."""
    watched = [State.NEW, State.CHECKING, State.SYNCING, State.LIVE, State.STALE, State.BROKEN]
    rows = ExchangeAccount.objects.filter(state__in=watched).exclude(api_key=b"")
    for pk in rows.values_list("pk", flat=True):
        check_account.apply_async((str(pk),), expires=280)
