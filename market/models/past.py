"""Bars of times that nobody collected, as the exchange told them later."""

from typing import ClassVar

from django.db import models
from django.db.models import CompositePrimaryKey

from market.models.bars import BarFigures
from market.models.instruments import Instrument


class PastBar(BarFigures):
    """A whole bar of `grain` seconds from candles, aggregates or a day file, or a second that was
    taken from a tape before retention dropped it."""

    pk = CompositePrimaryKey("instrument_id", "grain", "time")
    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, db_index=False)
    grain = models.IntegerField()
    # open time
    time = models.DateTimeField()
    # market.flow.detail: 0 total, 1 order, 2 full; of two versions the higher one wins
    detail = models.SmallIntegerField()
    revision = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.grain} s {self.time:%F %T}"


class PastSpan(models.Model):
    """A stretch of time of which everything is known in bars of `grain` seconds, at one detail; two
    of one detail never touch."""

    # asked for, and the exchange had nothing
    ABSENT: ClassVar = -1

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, db_index=False)
    grain = models.IntegerField()
    detail = models.SmallIntegerField()
    # epoch seconds, half-open
    start = models.BigIntegerField()
    end = models.BigIntegerField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instrument", "grain", "detail", "start"], name="past_span_once"
            ),
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="past_span_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.grain} s {self.start}..{self.end}"


class PastNews(models.Model):
    """A stretch of which something is known that was not: whoever waits for it looks again, and
    takes the row away."""

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="news")
    # epoch seconds, half-open
    start = models.BigIntegerField()
    end = models.BigIntegerField()

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.start}..{self.end}"
