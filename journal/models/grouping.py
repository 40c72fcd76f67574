"""What a trader joined or cut by hand: every rebuild follows it, and it can be undone."""

from typing import ClassVar

from django.db import models

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
