"""Marks of futures: settled funding and the mark price of each minute."""

from typing import ClassVar

from django.db import models

from market.models.instruments import Instrument


class FundingRate(models.Model):
    """What a USD-M future settled between its longs and shorts."""

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="funding")
    time = models.DateTimeField()
    # a part of the position's value: 0.0001 is 0.01 %; positive: longs pay
    rate = models.DecimalField(max_digits=16, decimal_places=8)
    # the mark price it was settled at; null where the exchange does not say
    mark = models.DecimalField(max_digits=28, decimal_places=8, null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "time"], name="funding_once")
        ]
        ordering: ClassVar = ["time"]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.time:%F %R} {self.rate}"


class MarkPrice(models.Model):
    """The last mark and index price of a minute; minutes in which nobody listened are missing."""

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="marks")
    minute = models.DateTimeField()
    mark = models.DecimalField(max_digits=28, decimal_places=8)
    index = models.DecimalField(max_digits=28, decimal_places=8)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "minute"], name="mark_once")
        ]
        ordering: ClassVar = ["minute"]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.minute:%F %R} {self.mark}"
