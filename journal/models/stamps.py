"""What the market was doing when a fill was made."""

from django.db import models

from journal.models.exchange import Fill
from journal.models.trades import Money


class FillFlow(models.Model):
    """What the market was doing when a fill was made."""

    fill = models.OneToOneField(
        Fill, on_delete=models.CASCADE, primary_key=True, related_name="flow"
    )
    # whether the 15 minutes before it are covered without a hole; if not, nothing is said
    is_covered = models.BooleanField()
    # {"10s": {"delta", "slope", "buy", "sell", "bands": {band: delta}}, "1m": …}, decimal text
    windows = models.JSONField(default=dict)
    # share of the takers' value of the last minute on the fill's own side: -1 to 1
    share = models.DecimalField(max_digits=9, decimal_places=8, null=True)
    bid = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    ask = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    # of the UTC day so far
    day_high = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    day_low = models.DecimalField(max_digits=28, decimal_places=8, null=True)
    # paid over the mid price for the whole quantity, in the quote asset
    slippage = Money(null=True)
    stamped_at = models.DateTimeField()
    # no later bar can change it
    is_final = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"flow of {self.fill_id}"
