"""Whether an account may trade, until when, and within which caps."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce

from accounts.models import ExchangeAccount, User

KEY_OF_ORDERS = Coalesce("account__trading_key__api_key_hash", "account__api_key_hash")


class TradingSwitchQuerySet(models.QuerySet["TradingSwitch"]):
    def visible_to(self, user: User) -> "TradingSwitchQuerySet":
        return self.filter(account__user=user, account__venue=settings.VENUE)

    def on(self, now: datetime) -> "TradingSwitchQuerySet":
        """Those that stand: switched on, not ended, by the key that orders go with now, of an
        account that is not paused and a user who may sign in."""
        return (
            self.filter(is_on=True, until__gt=now, account__user__is_active=True)
            .alias(key_of_orders=KEY_OF_ORDERS)
            .filter(api_key_hash=models.F("key_of_orders"))
            .exclude(account__state=ExchangeAccount.State.PAUSED)
        )


class TradingSwitch(models.Model):
    # caps: name -> what it is; amounts in the symbol's quote
    CAPS: ClassVar = {
        # largest order
        "order": "money",
        # largest risk of one trade
        "risk": "money",
        # loss of a day after which no entry is taken
        "day_loss": "money",
        # open orders
        "orders": "count",
        # how far from the mark an order's price may be, in percent
        "distance": "percent",
        # symbols that may be traded
        "symbols": "symbols",
    }

    account = models.OneToOneField(
        ExchangeAccount, on_delete=models.CASCADE, primary_key=True, related_name="trading_switch"
    )
    is_on = models.BooleanField(default=False)
    until = models.DateTimeField(null=True)
    caps = models.JSONField(default=dict)
    # the key that it was switched on with: another key, and it is off
    api_key_hash = models.CharField(max_length=64, blank=True)
    # why it went off: owner, ended, key, password, email, factor, paused, deactivated, staff
    ended_by = models.CharField(max_length=16, blank=True)
    # what was made before and arrives later is taken out again
    stopped_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = TradingSwitchQuerySet.as_manager()

    def __str__(self) -> str:
        return f"trading of {self.account_id}: {'on' if self.is_on else 'off'}"

    def money(self, name: str) -> Decimal | None:
        value: Any = self.caps.get(name)
        return None if value is None else Decimal(str(value))
