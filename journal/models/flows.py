"""What is known of the order flow around fills, and how far the way there is."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from journal.models.exchange import Fill, Market
from journal.models.trades import Money


class FillFlow(models.Model):
    """What the market was doing when a fill was made."""

    class Basis(models.TextChoices):
        """What the windows were made of."""

        TRADES = "trades", _("Single trades")
        AGGREGATES = "aggregates", _("Aggregates")
        CANDLES_1S = "candles_1s", _("Candles of 1 s")
        CANDLES_1M = "candles_1m", _("Candles of 1 m")

    # those with bands
    WITH_BANDS: ClassVar = [Basis.TRADES, Basis.AGGREGATES]

    class Stage(models.TextChoices):
        """What is to come next."""

        TOTAL = "total", _("Candles of 1 m")
        SECONDS = "seconds", _("Candles of 1 s")
        BANDS = "bands", _("By size")
        DONE = "done", _("Done")

    fill = models.OneToOneField(
        Fill, on_delete=models.CASCADE, primary_key=True, related_name="flow"
    )
    # empty while nothing is known
    basis = models.CharField(max_length=10, choices=Basis.choices, blank=True)
    # {"10s": {"delta", "slope", "buy", "sell", "bands": {band: delta} or null}, "1m": …}, decimal
    # text; null where its grain does not tell the window
    windows = models.JSONField(default=dict)
    # window -> why it is null
    why = models.JSONField(default=dict)
    # the window that `share` is of
    window = models.CharField(max_length=3, blank=True)
    # share of the takers' value of that window on the fill's own side: -1 to 1; null: none traded
    share = models.DecimalField(max_digits=9, decimal_places=8, null=True)
    bid = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    ask = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    # of the UTC day so far
    day_high = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    day_low = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    # paid over the mid price for the whole quantity, in the quote asset
    slippage = Money(null=True)
    stamped_at = models.DateTimeField()
    stage = models.CharField(max_length=7, choices=Stage.choices, default=Stage.TOTAL)
    # why the next stage cannot be had, and when it is tried again
    refused = models.CharField(max_length=40, blank=True)
    again_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["stage", "again_at"],
                condition=~models.Q(stage="done"),
                name="flows_to_come",
            )
        ]

    def __str__(self) -> str:
        return f"flow of {self.fill_id}"

    @property
    def is_final(self) -> bool:
        """Nothing more is to come."""
        return self.stage == self.Stage.DONE


class FlowDay(models.Model):
    """A tape's day whose bands somebody needs: how they were got, or why not."""

    class State(models.TextChoices):
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")

    venue = models.CharField(max_length=16)
    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    # UTC
    day = models.DateField()
    state = models.CharField(max_length=7, choices=State.choices)
    # aggregates, trades or file; empty where none was to be had
    source = models.CharField(max_length=10, blank=True)
    # what was taken instead of what, and why
    note = models.TextField(blank=True)
    weight = models.IntegerField(default=0)
    size = models.BigIntegerField(default=0)
    fills = models.IntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["venue", "market", "symbol", "day"], name="flow_day_once"
            )
        ]
        ordering: ClassVar = ["-day"]

    def __str__(self) -> str:
        return f"{self.market} {self.symbol} {self.day} {self.state}"
