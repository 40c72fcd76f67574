"""A key for orders alone, beside the one that an account is read with: looked at before anything of
it is kept, looked at again with the account, and forgotten where it may do more than it should."""

import asyncio

import structlog
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.changes import changed
from accounts.models import ExchangeAccount, TradingKey, User
from accounts.services import auditing, connecting, credentials, looking
from accounts.services.connecting import CannotConnect
from accounts.services.looking import Findings
from accounts.vault.keyfiles import KeyProblem
from lib.envelope import NotOurs
from lib.secret import Secret

log = structlog.get_logger(__name__)

# What a key for orders has to be allowed, one of both at least.
RIGHTS = ("enableSpotAndMarginTrading", "enableFutures")
# Found at a second look: not kept any longer.
LOST = {"bad_key", "signature", "may_withdraw", "no_reading", "may_not_trade"}


def put(
    *, account: ExchangeAccount, user: User, api_key: Secret, secret: Secret
) -> ExchangeAccount:
    """Take a key for the account's orders, or another one in its place; trading is off then. Raises
    CannotConnect, Http404."""
    if not credentials.has_key(account) or account.binance_uid is None:
        raise CannotConnect(_("Expected an account whose own key works: connect that one first."))
    given = connecting.given_key(api_key, secret)
    # a look forgets what it was given
    findings = asyncio.run(looking.look(connecting.given_key(api_key, secret)))
    problem = _problem(account, findings)
    if problem:
        raise CannotConnect(refusal(problem))
    with transaction.atomic():
        row = get_object_or_404(ExchangeAccount.objects.select_for_update(), pk=account.pk)
        key = TradingKey.objects.filter(account=row).first() or TradingKey(account=row)
        try:
            credentials.store(key, given)
        except KeyProblem as error:
            log.error("credentials cannot be sealed", error=str(error))
            raise CannotConnect(
                _("The server cannot seal keys: its operator has to look.")
            ) from error
        if key.api_key_hash == row.api_key_hash:
            raise CannotConnect(
                _("Expected another key than the one that the account is read with.")
            )
        key.permissions, key.checked_at = findings.permissions, timezone.now()
        key.save()
        _note(row, user, "trading key set")
    return account


@transaction.atomic
def remove(*, account: ExchangeAccount, user: User) -> None:
    """Orders go with the account's own key again, once trading is switched on anew."""
    if TradingKey.objects.filter(account=account).delete()[0]:
        _note(account, user, "trading key removed")


def look_again(account: ExchangeAccount) -> None:
    """It may have been revoked, or be allowed more by now: then it is forgotten, and trading is
    off. What says nothing of the key changes nothing."""
    key = TradingKey.objects.select_related("account__user").filter(account=account).first()
    if key is None:
        return
    try:
        findings = asyncio.run(looking.look_at_rights(credentials.load(key, why="check")))
    except (KeyProblem, NotOurs) as error:
        log.error("trading key cannot be opened", account=str(account.pk), error=str(error))
        return
    problem = findings.problem or _may_not_trade(findings)
    mine = TradingKey.objects.filter(pk=key.pk, api_key_hash=key.api_key_hash)
    with transaction.atomic():
        if problem in LOST:
            if mine.delete()[0]:
                _note(key.account, None, "trading key forgotten", why=problem)
        elif not problem:
            mine.update(permissions=findings.permissions, checked_at=timezone.now())


def refusal(problem: str) -> str:
    """For the key's owner; nothing of it was kept."""
    texts = {
        "another_account": _("The key belongs to another Binance account than this one."),
        "may_not_trade": _("This key may not trade: allow spot or futures trading at Binance."),
        "may_withdraw": _("This key may withdraw or transfer. Use one that may only trade."),
        "bad_key": _(
            "Binance does not accept this key: it is unknown or was deleted, or is bound to "
            "another address."
        ),
        "signature": _("The secret does not belong to this key. Copy both again."),
        "no_reading": _("This key may not read, so nobody could tell what became of an order."),
    }
    return texts.get(problem, _("The key cannot be looked at just now. Try again in a minute."))


def _problem(account: ExchangeAccount, findings: Findings) -> str:
    if findings.problem:
        return findings.problem
    if findings.uid != account.binance_uid:
        return "another_account"
    return _may_not_trade(findings)


def _may_not_trade(findings: Findings) -> str:
    may_trade = any(findings.permissions.get(right) for right in RIGHTS)
    return "" if may_trade else "may_not_trade"


def _note(account: ExchangeAccount, actor: User | None, action: str, why: str = "") -> None:
    auditing.record(
        owner=account.user, actor=actor, action=action, subject=str(account.pk), why=why
    )
    changed(account.user, "key")
