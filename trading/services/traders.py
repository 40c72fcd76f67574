"""The accounts of a user as the ticket and the page of trading show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import ExchangeAccount, User
from trading.errors import Forbidden
from trading.models import TradingSwitch
from trading.services import switching


@dataclass(frozen=True)
class Trader:
    """`why_not` is a sentence where its key may not trade."""

    account: ExchangeAccount
    is_on: bool
    until: datetime | None
    caps: dict[str, Any]
    ended_by: str
    why_not: str

    @property
    def may_trade(self) -> bool:
        return not self.why_not


def traders_of(user: User) -> list[Trader]:
    accounts = list(ExchangeAccount.objects.visible_to(user).exclude(api_key=b""))
    switches = {row.pk: row for row in TradingSwitch.objects.visible_to(user)}
    return [_trader(account, switches.get(account.pk)) for account in accounts]


def _trader(account: ExchangeAccount, switch: TradingSwitch | None) -> Trader:
    try:
        switching.need_trading_key(account)
        why_not = ""
    except Forbidden as error:
        why_not = error.detail
    is_on = switch is not None and switching.is_on(account)
    return Trader(
        account,
        is_on,
        switch.until if switch is not None and is_on else None,
        switch.caps if switch is not None else {},
        switch.ended_by if switch is not None and not is_on else "",
        why_not,
    )
