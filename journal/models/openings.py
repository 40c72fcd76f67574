"""What was there before the history begins (money.md 4), and the exchange's rules by their time."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from journal.models.exchange import Market, OfAccount, OwnedManager
from journal.models.trades import Money


class OpeningBalance(OfAccount):
    """A coin or money told to have been there before the first row of its source."""

    class Why(models.TextChoices):
        OWNER = "owner", _("Stated by its owner")
        STATEMENT = "statement", _("From a statement")
        DIFFERENCE = "difference", _("An accepted difference")

    asset = models.CharField(max_length=20)
    wallet = models.CharField(max_length=8, default=Market.SPOT)
    # signed: money may have been owed
    quantity = Money()
    time = models.DateTimeField()
    why = models.CharField(max_length=10, choices=Why.choices)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "wallet", "asset", "time"], name="opening_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.asset} at {self.time:%F %R}"


class OpeningPosition(OfAccount):
    """A contract that was held before its first known fill: the exchange's position less all fills,
    kept by the sync that read both."""

    symbol = models.CharField(max_length=40)
    position_side = models.CharField(max_length=5)
    # signed
    quantity = Money()
    # what the exchange reported, and its entry, when it was read
    reported = Money()
    reported_entry = Money(null=True)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "symbol", "position_side"], name="opening_position_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.symbol}"


class StatedCost(OfAccount):
    """What its owner says that a deposit had cost, and when that was bought: for the tax report
    alone (money.md 3.8). It belongs to the deposit of that id, else to the one of that amount and
    moment, since the exchange may tell it under another id than a file did."""

    asset = models.CharField(max_length=20)
    external_id = models.CharField(max_length=80)
    amount = models.DecimalField(max_digits=40, decimal_places=18)
    time = models.DateTimeField()
    # of the whole deposit, in dollars
    cost = Money()
    bought_at = models.DateTimeField()

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "asset", "external_id"], name="stated_cost_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.asset} for {self.cost}"


class SeenRules(models.Model):
    """Step size and minimum notional of a symbol, from when we saw them."""

    venue = models.CharField(max_length=16)
    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    seen_at = models.DateTimeField()
    step_size = Money()
    min_notional = Money()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["venue", "market", "symbol", "seen_at"], name="rules_once"
            ),
        ]
        ordering: ClassVar = ["seen_at"]

    def __str__(self) -> str:
        return f"{self.symbol} from {self.seen_at:%F}"
