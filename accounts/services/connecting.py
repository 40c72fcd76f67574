"""Connecting an exchange account: a row at once, then live checks in a worker, each by name."""

import asyncio

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.changes import changed
from accounts.models import ExchangeAccount, TradingKey, User
from accounts.services import auditing, credentials, looking, removing
from accounts.services.looking import Findings
from accounts.vault.keyfiles import KeyProblem
from lib.envelope import NotOurs
from lib.secret import Secret
from market.binance.signing import Credentials

log = structlog.get_logger(__name__)

State = ExchangeAccount.State
# Problems that say nothing of the key: it is kept and looked at again.
FOR_NOW = {"", "unreachable", "busy", "clock"}


class CannotConnect(Exception):
    """Refused before anything was stored; the sentence is for the user."""


# --- what the user does -------------------------------------------------------------------------


@transaction.atomic
def connect(*, user: User, label: str, api_key: Secret, secret: Secret) -> ExchangeAccount:
    """Seal the key; `check` says whether it works. Raises CannotConnect."""
    given = given_key(api_key, secret)
    _need_room(user)
    account = ExchangeAccount(user=user, venue=settings.VENUE, label=label)
    _store(account, given, is_new=True)
    _audit(account, user, "account connected")
    return account


def try_key(*, api_key: Secret, secret: Secret) -> str:
    """What is wrong with a key for good, before anything of it is kept: a problem's code, or empty
    where it works or cannot be told now. Raises CannotConnect."""
    given = given_key(Secret(api_key.reveal().decode()), Secret(secret.reveal().decode()))
    findings = asyncio.run(looking.look(given))
    taken = ExchangeAccount.objects.here().filter(binance_uid=findings.uid)
    if not findings.problem and findings.uid is not None and taken.exists():
        return "connected_twice"
    return "" if findings.problem in FOR_NOW else findings.problem


@transaction.atomic
def make_keyless(*, user: User, label: str) -> ExchangeAccount:
    """An account that is known by files alone: nothing is ever asked at the exchange for it, until
    it is given a key. Raises CannotConnect."""
    _need_room(user)
    account = ExchangeAccount(
        user=user,
        venue=settings.VENUE,
        label=label,
        key_kind=ExchangeAccount.KeyKind.HMAC,
        kek_id=0,
        state=State.PAUSED,
        problem="files_only",
    )
    account.api_key = account.api_secret = b""
    account.api_key_hash = f"files {account.pk}"
    account.save(force_insert=True)
    _audit(account, user, "account made from files")
    return account


@transaction.atomic
def replace_key(
    *, account: ExchangeAccount, user: User, api_key: Secret, secret: Secret
) -> ExchangeAccount:
    """Another key for the same Binance account. Raises CannotConnect, Http404."""
    row = _locked(account)
    _store(row, given_key(api_key, secret), is_new=False)
    _audit(row, user, "key replaced")
    changed(row.user, "key")
    return row


@transaction.atomic
def rename(*, account: ExchangeAccount, user: User, label: str) -> ExchangeAccount:
    row = _locked(account)
    row.label = label
    row.save(update_fields=["label"])
    _audit(row, user, "account renamed")
    return row


@transaction.atomic
def pause(*, account: ExchangeAccount, user: User, paused: bool) -> ExchangeAccount:
    """A paused account is asked nothing; going on begins with the checks, where there is a key."""
    row = _locked(account)
    is_paused = row.state == State.PAUSED
    if paused == is_paused or (not paused and not credentials.has_key(row)):
        return row
    row.state = State.PAUSED if paused else State.NEW
    row.save(update_fields=["state"])
    _audit(row, user, "account paused" if paused else "account resumed")
    if paused:
        changed(row.user, "paused")
    return row


@transaction.atomic
def disconnect(*, account: ExchangeAccount, user: User, with_data: bool) -> None:
    """Forget the key; with everything of the account when asked to: it is out of sight at once, and
    a worker takes its rows (`removing.remove`). Raises Http404."""
    row = _locked(account)
    _audit(row, user, "account deleted" if with_data else "account disconnected")
    credentials.wipe(row)
    TradingKey.objects.filter(account=row).delete()
    row.state, row.problem, row.problem_detail = State.PAUSED, "disconnected", ""
    row.save(force_update=True)
    changed(row.user, "key")
    if with_data:
        removing.hide(row)


def _locked(account: ExchangeAccount) -> ExchangeAccount:
    """The row as it is now: what was read before may be old. Raises Http404."""
    return get_object_or_404(ExchangeAccount.objects.here().select_for_update(), pk=account.pk)


# --- what a worker does -------------------------------------------------------------------------


def check(account_id: str) -> None:
    """Look at an account with its own key, and remember what was found."""
    account = (
        ExchangeAccount.objects.here().filter(pk=account_id).exclude(state=State.PAUSED).first()
    )
    if account is None or not credentials.has_key(account):
        return
    if account.state == State.NEW:
        new = ExchangeAccount.objects.filter(pk=account.pk, state=State.NEW)
        if not new.update(state=State.CHECKING):
            return
    try:
        findings = asyncio.run(looking.look(credentials.load(account, why="check")))
    except (KeyProblem, NotOurs) as error:
        log.error("credentials cannot be opened", account=str(account.pk), error=str(error))
        findings = Findings().bad("key opens", "sealed", "")
    except Exception as error:  # noqa: BLE001  (an odd answer must not leave it checking for ever)
        log.error("account cannot be checked", account=str(account.pk), error=type(error).__name__)
        findings = Findings().bad("reachable", "unreachable", type(error).__name__)
    try:
        with transaction.atomic():
            _remember(account, findings)
    except IntegrityError:  # two keys of one Binance account were looked at together
        with transaction.atomic():
            _remember(account, findings.bad("same account", "connected_twice"))


def check_rights(account_id: str) -> None:
    """Whether the key of a live account is still there and may do what it might: a hundredth of
    what a whole look weighs. Where anything differs everything is looked at."""
    account = ExchangeAccount.objects.here().filter(pk=account_id, state=State.LIVE).first()
    if account is None or not credentials.has_key(account):
        return
    try:
        findings = asyncio.run(looking.look_at_rights(credentials.load(account, why="check")))
    except (KeyProblem, NotOurs):
        findings = Findings().bad("key opens", "sealed", "")
    if findings.problem or findings.permissions != account.permissions:
        check(account_id)
        return
    same = ExchangeAccount.objects.filter(pk=account.pk, api_key_hash=account.api_key_hash)
    same.filter(state=State.LIVE).update(checked_at=timezone.now())


def _remember(account: ExchangeAccount, findings: Findings) -> None:
    """Only if the key is still the one that was looked at; it may be sealed anew meanwhile."""
    row = (
        ExchangeAccount.objects.select_for_update()
        .filter(pk=account.pk, api_key_hash=account.api_key_hash)
        .exclude(state=State.PAUSED)
        .first()
    )
    if row is None:
        return
    if findings.uid is not None and _is_another(row, findings.uid):
        findings.bad("same account", "another_account")
    elif findings.uid is not None and _is_connected_twice(row, findings.uid):
        findings.bad("same account", "connected_twice")
    row.checks = [item.as_json() for item in findings.checks]
    row.checked_at = timezone.now()
    row.problem = findings.problem
    row.problem_detail = next((c.detail for c in findings.checks if c.outcome == "bad"), "")
    if findings.problem in {"may_withdraw", "connected_twice", "another_account"}:
        credentials.wipe(row)
    if findings.problem in {"unreachable", "busy"}:
        row.state = State.STALE
    elif findings.problem:
        row.state = State.BROKEN
        row.broken_since = row.broken_since or timezone.now()
    else:
        row.state = State.LIVE
        row.broken_since = None
        row.binance_uid = findings.uid
        row.permissions = findings.permissions
        row.snapshot = findings.snapshot
        row.looked_at = row.checked_at
    row.save(force_update=True)
    log.info("account checked", account=str(account.pk), state=row.state, problem=row.problem)


def _need_room(user: User) -> None:
    """One at a time for each user, so that the share holds. Raises CannotConnect."""
    User.objects.select_for_update().get(pk=user.pk)
    if ExchangeAccount.objects.visible_to(user).count() >= settings.ACCOUNTS_PER_USER:
        raise CannotConnect(
            f"expected at most {settings.ACCOUNTS_PER_USER} accounts: delete one that is not used"
        )


def given_key(api_key: Secret, secret: Secret) -> Credentials:
    """What was pasted. Raises CannotConnect."""
    try:
        return credentials.as_credentials(api_key, secret)
    except ValueError as error:
        raise CannotConnect(str(error)) from error


def _store(account: ExchangeAccount, given: Credentials, *, is_new: bool) -> None:
    try:
        credentials.store(account, given)
        account.state, account.problem, account.problem_detail = State.NEW, "", ""
        account.broken_since = None
        account.checks = []
        with transaction.atomic():
            account.save(force_insert=is_new, force_update=not is_new)
    except KeyProblem as error:
        log.error("credentials cannot be sealed", error=str(error))
        raise CannotConnect("the server cannot seal keys: its operator has to look") from error
    except IntegrityError as error:
        raise CannotConnect("this API key is connected already") from error


def _is_another(row: ExchangeAccount, uid: int) -> bool:
    return row.binance_uid is not None and row.binance_uid != uid


def _is_connected_twice(row: ExchangeAccount, uid: int) -> bool:
    others = ExchangeAccount.objects.filter(venue=row.venue, binance_uid=uid).exclude(pk=row.pk)
    return others.exists()


def _audit(account: ExchangeAccount, user: User, action: str) -> None:
    auditing.record(owner=account.user, actor=user, action=action, subject=str(account.pk))
