"""The switch of an account: off until its owner wants it, and off again by itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from accounts.services import auditing, credentials
from accounts.services.looking import DANGEROUS
from lib.decimals import plain
from lib.parking import Parking
from market.jobs.guarding import each
from trading import events
from trading.errors import BadOrder, Forbidden
from trading.models import TradingSwitch
from trading.sentences import told as _
from trading.sentences import was

log = structlog.get_logger(__name__)

LONGEST = timedelta(days=30)
MOST_SYMBOLS = 200
# nothing at the exchange waits for long
parked = Parking(longest=30.0)
RIGHTS = {"spot": "enableSpotAndMarginTrading", "usdm": "enableFutures"}


def need_trading_key(account: ExchangeAccount, market: str = "") -> None:
    """Raises Forbidden unless the key may trade (the market, or any) and may move nothing out."""
    key = credentials.for_orders(account)
    may = key.permissions
    rights = [RIGHTS[market]] if market else list(RIGHTS.values())
    if not credentials.has_key(account) or not credentials.has_key(key):
        raise Forbidden("key_may_not_trade", _("This account has no key."))
    dangerous = [name for name in DANGEROUS if may.get(name)]
    if dangerous:
        raise Forbidden(
            "key_may_not_trade",
            _(
                "This key may withdraw or transfer: %(dangerous)s. Use a key that may only trade.",
                dangerous=", ".join(dangerous),
            ),
        )
    if not any(may.get(name) for name in rights):
        raise Forbidden(
            "key_may_not_trade",
            _lacking(rights),
        )


def _lacking(rights: list[str]) -> str:
    if len(rights) == 1:
        return _("This key may not trade: at the exchange it lacks %(right)s.", right=rights[0])
    return _(
        "This key may not trade: at the exchange it lacks %(first)s or %(second)s.",
        first=rights[0],
        second=rights[1],
    )


@transaction.atomic
def switch_on(
    *, account: ExchangeAccount, actor: User, until: datetime, caps: Mapping[str, Any]
) -> TradingSwitch:
    """Raises Forbidden, BadOrder."""
    need_trading_key(account)
    now = timezone.now()
    if not now < until <= now + LONGEST:
        raise BadOrder(
            "until",
            _("Expected an end within %(days)s days from now.", days=LONGEST.days),
            field="until",
        )
    if account.state == ExchangeAccount.State.PAUSED or not account.user.is_active:
        raise Forbidden("trading_off", _("This account is paused."))
    switch = _locked(account)
    switch.is_on, switch.until, switch.ended_by = True, until, ""
    switch.caps = checked_caps(caps)
    switch.api_key_hash = credentials.for_orders(account).api_key_hash
    switch.save()
    auditing.record(
        owner=account.user,
        action="trading switched on",
        subject=str(account.pk),
        actor=actor,
        why=f"until {until:%F %R}",
    )
    return switch


@transaction.atomic
def change_caps(*, switch: TradingSwitch, actor: User, caps: Mapping[str, Any]) -> TradingSwitch:
    row = TradingSwitch.objects.select_for_update().get(pk=switch.pk)
    row.caps = checked_caps(caps)
    row.save(update_fields=["caps", "changed_at"])
    auditing.record(
        owner=row.account.user, action="trading caps changed", subject=str(row.pk), actor=actor
    )
    return row


@transaction.atomic
def switch_off(
    *, account: ExchangeAccount, actor: User | None, why: str, stopped: bool = False
) -> TradingSwitch:
    """Never asks for anything. `stopped`: what was made before and arrives later is taken out."""
    switch = _locked(account)
    now = timezone.now()
    if stopped:  # by the clock that says when intents were made
        switch.stopped_at = Now()
    was_on = switch.is_on
    switch.is_on, switch.ended_by = False, why if was_on else switch.ended_by or why
    switch.save()
    if stopped:
        switch.refresh_from_db(fields=["stopped_at"])
    if was_on:
        auditing.record(
            owner=account.user,
            action="trading switched off",
            subject=str(account.pk),
            actor=actor,
            why=why,
        )
        events.tell(
            events.TradingEvent(
                "switch",
                account.user_id,
                str(account.pk),
                f"switch:{account.pk}:{now.isoformat()}",
                f"{account.label}: trading is off ({why}).",
                {"why": why},
            )
        )
    return switch


def fall(user: User, what: str) -> None:
    """Key, password, e-mail or second factor changed, an account paused, the user deactivated:
    registered through `config`, called in the transaction of the change."""
    for account in ExchangeAccount.objects.filter(user=user, trading_switch__is_on=True):
        key = credentials.for_orders(account)
        if what == "key" and account.trading_switch.api_key_hash == key.api_key_hash:
            continue  # another account's, or one that no order goes with
        if what == "paused" and account.state != ExchangeAccount.State.PAUSED:
            continue
        switch_off(account=account, actor=user, why=what)


def fallen() -> "QuerySet[TradingSwitch]":
    """Switches whose time is over, or whose account changed without saying so."""
    standing = TradingSwitch.objects.on(timezone.now()).values("pk")
    return TradingSwitch.objects.filter(is_on=True).exclude(pk__in=standing)


def end_due() -> int:
    """Switches off what has `fallen`. Returns how many."""
    now = timezone.now()

    def end(switch: TradingSwitch) -> None:
        why = "ended" if switch.until is not None and switch.until <= now else "key"
        switch_off(account=switch.account, actor=None, why=why)

    rows = fallen().select_related("account__user")
    return len(each("switch", rows, end, name_of=lambda switch: switch.account_id, parked=parked))


def is_on(account: ExchangeAccount) -> bool:
    return TradingSwitch.objects.on(timezone.now()).filter(account=account).exists()


def checked_caps(caps: Mapping[str, Any]) -> dict[str, Any]:
    """Names and values as they are kept; null takes a cap away. Raises BadOrder."""
    checked: dict[str, Any] = {}
    for given, value in caps.items():
        name = str(given).removeprefix("cap_")
        name = {"price_far": "distance", "symbol": "symbols"}.get(name, name)
        kind = TradingSwitch.CAPS.get(name)
        if kind is None:
            known = ", ".join(TradingSwitch.CAPS)
            raise BadOrder(
                "caps",
                _("Expected caps of %(known)s, was %(was)s.", known=known, was=was(given)),
                field=f"caps.{str(given)[:40]}",
            )
        if value is not None:
            checked[name] = _cap(name, kind, value)
    return checked


def is_wider(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether anything is allowed after that was not before."""
    for name, kind in TradingSwitch.CAPS.items():
        old, new = before.get(name), after.get(name)
        if old is None or old == new:
            continue
        if new is None:
            return True
        if kind == "symbols":
            if set(new) - set(old):
                return True
        elif Decimal(str(new)) > Decimal(str(old)):
            return True
    return False


def _cap(name: str, kind: str, value: Any) -> Any:
    if kind == "symbols":
        words = value.split(",") if isinstance(value, str) else value
        is_list = isinstance(words, list) and 0 < len(words) <= MOST_SYMBOLS
        if not is_list or not all(isinstance(word, str) and word.strip() for word in words):
            raise BadOrder("caps", _("Expected caps.symbols as a list of symbols."), field="caps")
        return sorted({word.strip().upper() for word in words})
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise BadOrder(
            "caps",
            _("Expected caps.%(name)s as a number, was %(was)s.", name=name, was=was(value)),
            field="caps",
        ) from error
    is_whole = kind != "count" or amount == amount.to_integral_value()
    if isinstance(value, bool) or not amount.is_finite() or amount < 0 or not is_whole:
        raise BadOrder(
            "caps",
            _(
                "Expected caps.%(name)s as a number of at least 0, was %(was)s.",
                name=name,
                was=was(value),
            ),
            field="caps",
        )
    return int(amount) if kind == "count" else plain(amount)


def _locked(account: ExchangeAccount) -> TradingSwitch:
    TradingSwitch.objects.get_or_create(account=account)
    return TradingSwitch.objects.select_for_update().get(account=account)
