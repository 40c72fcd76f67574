"""Connecting an exchange account: a row at once, then live checks in a worker, each by name."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.changes import changed
from accounts.models import ExchangeAccount, TradingKey, User
from accounts.services import auditing, credentials, removing, valuation
from accounts.vault.keyfiles import KeyProblem
from lib.envelope import NotOurs
from lib.secret import Secret
from market.binance.account import AccountRest
from market.binance.budgets import governors
from market.binance.errors import BadKey, ClockDiffers, ExchangeError, MustWait, Refused
from market.binance.signing import Addresses, Credentials
from market.hot import store

log = structlog.get_logger(__name__)

State = ExchangeAccount.State
# More than this and Binance refuses signed requests now and then.
CLOCK_MS = 1000
# Problems that say nothing of the key: it is kept and looked at again.
FOR_NOW = {"", "unreachable", "busy", "clock"}
# What a journal has no use for, and a thief has.
DANGEROUS = (
    "enableWithdrawals",
    "enableInternalTransfer",
    "permitsUniversalTransfer",
)


class CannotConnect(Exception):
    """Refused before anything was stored; the sentence is for the user."""


@dataclass
class Check:
    """`name` is what was looked at; `outcome` ok, note (shown, not refused) or bad."""

    name: str
    outcome: str
    detail: str = ""

    def as_json(self) -> dict[str, str]:
        return {"name": self.name, "outcome": self.outcome, "detail": self.detail}


@dataclass
class Findings:
    checks: list[Check] = field(default_factory=list)
    problem: str = ""
    uid: int | None = None
    permissions: dict[str, Any] = field(default_factory=dict)
    snapshot: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, outcome: str, detail: str = "") -> None:
        self.checks.append(Check(name, outcome, detail[:300]))

    def bad(self, name: str, problem: str, detail: str = "") -> "Findings":
        self.add(name, "bad", detail)
        self.problem = self.problem or problem
        return self


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
    findings = asyncio.run(look(given))
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
        findings = asyncio.run(look(credentials.load(account, why="check")))
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
    row.save(force_update=True)
    log.info("account checked", account=str(account.pk), state=row.state, problem=row.problem)


async def look(opened: Credentials) -> Findings:
    """What a key may do and shows; it is forgotten then."""
    findings = Findings()
    client = store.connect(settings.REDIS_URL)
    addresses = Addresses(settings.BINANCE_SPOT_API_URL, settings.BINANCE_FUTURES_API_URL)
    try:
        async with aclosing(AccountRest(addresses, opened, governors(client))) as rest:
            await _look_at_all(rest, findings)
    except ValueError as error:
        findings.bad("signature", "signature", str(error))
    finally:
        opened.api_key.wipe()
        opened.secret.wipe()
        await client.aclose()
    return findings


async def _look_at_all(rest: AccountRest, findings: Findings) -> None:
    """Each question in turn; what the first refusals mean ends it."""
    try:
        offset = await rest.measure_clock()
    except (ExchangeError, redis.RedisError) as error:
        findings.bad("reachable", "unreachable", str(error))
        return
    findings.add("clock", "ok" if abs(offset) < CLOCK_MS else "note", f"{offset:+.0f} ms")
    may = await _ask(findings, "key exists", rest.permissions)
    if may is None:
        return
    findings.add("key exists", "ok")
    findings.add("signature", "ok")
    findings.permissions = may
    bound = bool(may.get("ipRestrict"))
    findings.add("ip restriction", "ok" if bound else "note", "" if bound else "none")
    dangerous = [name for name in DANGEROUS if may.get(name)]
    if dangerous:
        findings.bad("no withdrawals", "may_withdraw", ", ".join(dangerous))
        return
    findings.add("no withdrawals", "ok")
    if not may.get("enableReading"):
        findings.bad("reading", "no_reading")
        return
    findings.add("reading", "ok")
    account = await _ask(findings, "spot", rest.account)
    if account is None:
        return
    findings.uid = int(account["uid"])
    findings.add("spot", "ok")
    await _look_at_futures(rest, findings, bool(may.get("enableFutures")))
    trades = bool(may.get("enableSpotAndMarginTrading"))
    findings.add("trading", "note" if trades else "ok", "on" if trades else "off")
    orders = await _ask(findings, "open orders", rest.open_orders)
    prices = await _ask(findings, "prices", rest.prices)
    if orders is not None and prices is not None:
        findings.snapshot = valuation.snapshot(account["balances"], orders, prices)


async def _look_at_futures(rest: AccountRest, findings: Findings, is_allowed: bool) -> None:
    if not is_allowed:
        findings.add("futures", "note", "off")
        return
    try:  # a key made before futures were opened has no futures rights
        await rest.futures_account()
        findings.add("futures", "ok")
    except (ExchangeError, redis.RedisError) as error:
        findings.add("futures", "note", str(error))


async def _ask(findings: Findings, name: str, ask: Callable[[], Awaitable[Any]]) -> Any:
    """The answer, or None and what is wrong."""
    try:
        return await ask()
    except BadKey as error:
        if error.code == -1022:
            findings.add("key exists", "ok")
            findings.bad("signature", "signature", str(error))
        else:
            findings.bad(name, "bad_key", str(error))
    except ClockDiffers as error:
        findings.bad("clock", "clock", str(error))
    except Refused as error:
        findings.bad(name, "refused", str(error))
    except MustWait as error:
        findings.bad(name, "busy", str(error))
    except (ExchangeError, redis.RedisError) as error:
        findings.bad(name, "unreachable", str(error))
    return None


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
