"""What a user looks at: ordered lists of markets."""

from typing import ClassVar

from django.db import models

from journal.models.exchange import Market
from journal.models.notes import OfUser, OwnManager


class Watchlist(OfUser):
    name = models.CharField(max_length=40)
    position = models.PositiveIntegerField()

    objects = OwnManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="watchlist_name")
        ]
        ordering: ClassVar = ["position", "pk"]

    def __str__(self) -> str:
        return self.name


class WatchedMarket(models.Model):
    watchlist = models.ForeignKey(Watchlist, on_delete=models.CASCADE, related_name="markets")
    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    position = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["watchlist", "market", "symbol"], name="watched_market_once"
            )
        ]
        ordering: ClassVar = ["position", "pk"]

    def __str__(self) -> str:
        return f"{self.market} {self.symbol}"
