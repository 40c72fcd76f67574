"""What a trader joined or cut by hand: every rebuild follows it, and it can be undone."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from journal.models.exchange import Market, OfAccount, OwnedManager


class TradeMerge(OfAccount):
    """The trade `other` is part of the trade `key`; both are keys of the ledger."""

    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    key = models.CharField(max_length=160)
    other = models.CharField(max_length=160)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "other"], name="merged_once")
        ]

    def __str__(self) -> str:
        return f"{self.other} into {self.key}"


class TradeSplit(OfAccount):
    """The trade `key` is cut: with the fill a new one begins."""

    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    key = models.CharField(max_length=160)
    # the ledger's id of the fill
    fill = models.CharField(max_length=80)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "key", "fill"], name="split_once")
        ]

    def __str__(self) -> str:
        return f"{self.key} at {self.fill}"


class FillMark(OfAccount):
    """What its owner said of a fill or conversion (money.md 3.6): after it the open trade is set
    aside, or this purchase keeps an old trade open."""

    class Kind(models.TextChoices):
        ASIDE = "aside", _("Set aside")
        KEEP = "keep", _("Kept open")

    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40, blank=True)
    # the ledger's id
    fill = models.CharField(max_length=100)
    kind = models.CharField(max_length=5, choices=Kind.choices)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "market", "symbol", "fill", "kind"], name="fill_mark_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol} {self.fill}"
