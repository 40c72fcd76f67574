"""Bars and what is known of the tapes that they come from."""

from typing import ClassVar

from django.db import models
from django.db.models import CompositePrimaryKey

from market.models.instruments import Instrument


class BarFigures(models.Model):
    """What every bar holds, whatever it was made from."""

    open = models.DecimalField(max_digits=28, decimal_places=8)
    high = models.DecimalField(max_digits=28, decimal_places=8)
    low = models.DecimalField(max_digits=28, decimal_places=8)
    close = models.DecimalField(max_digits=28, decimal_places=8)
    trades = models.IntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    base_buy = models.DecimalField(max_digits=38, decimal_places=8)
    base_sell = models.DecimalField(max_digits=38, decimal_places=8)
    quote_buy = models.DecimalField(max_digits=48, decimal_places=16)
    quote_sell = models.DecimalField(max_digits=48, decimal_places=16)
    delta_low = models.DecimalField(max_digits=48, decimal_places=16)
    delta_high = models.DecimalField(max_digits=48, decimal_places=16)
    # newest best prices seen in the second, 0 when none was
    bid = models.DecimalField(max_digits=28, decimal_places=8)
    ask = models.DecimalField(max_digits=28, decimal_places=8)
    # 6 bought, 6 sold, 6 counts, scaled by 1e-16 of the quote asset, space-separated
    trade_bands = models.TextField()
    order_bands = models.TextField()
    band_set = models.CharField(max_length=16)

    class Meta:
        abstract = True


class SecondBar(BarFigures):
    """A 1 s bar; the table is partitioned by day (market.archive.partitions)."""

    pk = CompositePrimaryKey("instrument_id", "time")
    instrument = models.ForeignKey(Instrument, on_delete=models.DO_NOTHING, db_constraint=False)
    # open time
    time = models.DateTimeField()
    # of two versions of a bar the higher (revision, trades) wins
    revision = models.IntegerField()
    # made from the exchange's archive, so that a corrected file corrects it; null is no
    from_archive = models.BooleanField(null=True)

    class Meta:
        db_table = "market_second_bar"
        managed = False

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.time:%F %T}"


class TapeState(models.Model):
    """Where a tape stands in PostgreSQL, written in one transaction with its bars."""

    instrument = models.OneToOneField(Instrument, on_delete=models.CASCADE, primary_key=True)
    # the last trade id that is in the bars
    last_id = models.BigIntegerField()
    revision = models.IntegerField()
    # open time of the newest bar, epoch seconds
    newest = models.BigIntegerField()
    # the exchange's time from which and up to which the tape is whole, epoch ms
    covered_from = models.BigIntegerField()
    covered_to = models.BigIntegerField()
    # ticks of T in a second: 1000000 (us) or 1000 (ms)
    ticks = models.IntegerField()
    # the open sweep as `time side quote`, empty when there is none
    sweep = models.CharField(max_length=80, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.instrument_id} at {self.last_id}"


class ArchiveHour(models.Model):
    """An hour that has 1 s bars: whether its minutes, its hour and its day are rolled up."""

    instrument = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, related_name="archive_hours"
    )
    hour = models.DateTimeField()
    # grows with each write of 1 s bars of this hour, in the same transaction
    version = models.BigIntegerField()
    # the longer bars are of the present version
    is_done = models.BooleanField()
    # retention took its 1 s bars: its longer bars stay as they are
    is_pruned = models.BooleanField(db_default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "hour"], name="archive_hour")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["instrument", "hour"],
                condition=models.Q(is_done=False),
                name="archive_hours_due",
            )
        ]
        ordering: ClassVar = ["-hour"]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.hour:%F %H}h"


class Gap(models.Model):
    """Trade ids that did not come in time, and what became of them."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        FILLED = "filled", "Filled"
        UNFILLABLE = "unfillable", "Unfillable"

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="gaps")
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    # trade times on both sides of the hole, epoch ms
    from_ms = models.BigIntegerField()
    to_ms = models.BigIntegerField()
    cause = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=State.choices)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "first_id"], name="gap_key")
        ]
        ordering: ClassVar = ["-first_id"]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.first_id}..{self.last_id} {self.state}"

    @property
    def trades(self) -> int:
        return self.last_id - self.first_id + 1


class CoveredSpan(models.Model):
    """A stretch of ids that an import proved whole, beside what the collector covers; two spans of
    one instrument never touch."""

    instrument = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, related_name="covered_spans"
    )
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    # the exchange's time, epoch ms
    from_ms = models.BigIntegerField()
    to_ms = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "first_id"], name="covered_span")
        ]
        ordering: ClassVar = ["first_id"]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.first_id}..{self.last_id}"


class MinuteAudit(models.Model):
    """A closed minute that was compared with the exchange's own candle."""

    class State(models.TextChoices):
        AGREES = "agrees", "Agrees"
        # differed, was made anew from its ids, and agrees now
        REBUILT = "rebuilt", "Rebuilt"
        # still differs after that: what the exchange says contradicts itself
        DIFFERS = "differs", "Exchange differs"

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="audits")
    # open time
    minute = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices)
    # the figures that did not agree, comma-separated
    differences = models.CharField(max_length=120, blank=True)
    audited_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "minute"], name="audited_minute")
        ]
        ordering: ClassVar = ["-minute"]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.minute:%F %R} {self.state}"
