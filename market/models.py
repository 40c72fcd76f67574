"""What the exchange says, as it is kept for good. No user data here."""

from typing import ClassVar

from django.db import models
from django.db.models import CompositePrimaryKey
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from market.instruments import InstrumentKey


class Instrument(models.Model):
    """One market of one venue: the owner of a tape."""

    class Market(models.TextChoices):
        SPOT = "spot", "Spot"
        USDM = "usdm", "USD-M futures"

    # binance, testnet or simulator: data of two venues never mix
    venue = models.CharField(max_length=16)
    market = models.CharField(max_length=8, choices=Market.choices)
    # as Binance spells it, upper case; may hold any Unicode letters
    symbol = models.CharField(max_length=40)
    base_asset = models.CharField(max_length=20)
    quote_asset = models.CharField(max_length=20)
    # which edges its bands have (market.flow.bands.SETS)
    band_set = models.CharField(max_length=16)
    # whether a collector shall keep its tape: it is pinned, or somebody wants it
    is_followed = models.BooleanField(default=False)
    # followed until it is stopped by hand (MARKET_SYMBOLS, `manage.py follow`, the admin)
    is_pinned = models.BooleanField(default=False)
    # when it was pinned last, also when it is no longer
    pinned_at = models.DateTimeField(null=True)
    followed_at = models.DateTimeField(null=True)
    # how far back its tape shall reach, by trade ids; null: from when it is first followed
    since = models.DateTimeField(null=True)
    # an import of archive files is at work, until it says nothing for so long
    importing_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venue", "market", "symbol"], name="instrument_key")
        ]
        ordering: ClassVar = ["venue", "market", "symbol"]

    def __str__(self) -> str:
        return f"{self.venue} {self.market} {self.symbol}"

    def get_absolute_url(self) -> str:
        return reverse("future" if self.market == "usdm" else "market", args=[self.symbol])

    @property
    def key(self) -> InstrumentKey:
        return InstrumentKey(self.venue, self.market, self.symbol)


class Listing(models.Model):
    """A symbol as the exchange lists it, followed or not (exchangeInfo)."""

    # Words for a market in which nothing is traded, for a while or for good; DELISTED is ours. A
    # word that nobody knows is no reason to let a tape go.
    NOT_TRADED: ClassVar = [
        "BREAK",
        "CANCEL_ONLY",
        "CLOSE",
        "DELISTED",
        "DELIVERED",
        "DELIVERING",
        "END_OF_DAY",
        "HALT",
        "PENDING_TRADING",
        "POST_TRADING",
        "PRE_TRADING",
        "SETTLING",
    ]

    venue = models.CharField(max_length=16)
    market = models.CharField(max_length=8, choices=Instrument.Market.choices)
    symbol = models.CharField(max_length=40)
    base_asset = models.CharField(max_length=20)
    quote_asset = models.CharField(max_length=20)
    # text, since the exchange adds to it: TRADING, HALT, BREAK, CANCEL_ONLY, SETTLING, …
    status = models.CharField(max_length=24)
    tick_size = models.DecimalField(max_digits=28, decimal_places=12)
    step_size = models.DecimalField(max_digits=28, decimal_places=12)
    min_notional = models.DecimalField(max_digits=28, decimal_places=12)
    # filters as the exchange says them
    filters = models.JSONField(default=list)
    refreshed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venue", "market", "symbol"], name="listing_once")
        ]
        ordering: ClassVar = ["market", "symbol"]

    def __str__(self) -> str:
        return f"{self.market} {self.symbol}"


class SecondBar(models.Model):
    """A 1 s bar; the table is partitioned by day (market.archive.partitions)."""

    pk = CompositePrimaryKey("instrument_id", "time")
    instrument = models.ForeignKey(Instrument, on_delete=models.DO_NOTHING, db_constraint=False)
    # open time
    time = models.DateTimeField()
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


class ArchiveFile(models.Model):
    """A file of the exchange's archive whose rows are all in."""

    instrument = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, related_name="archive_files"
    )
    name = models.CharField(max_length=120)
    # SHA-256 of the file as imported: one that was corrected later is imported again
    checksum = models.CharField(max_length=64)
    rows = models.BigIntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    imported_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "name"], name="archive_file")
        ]
        ordering: ClassVar = ["instrument", "name"]

    def __str__(self) -> str:
        return self.name


class ImportJob(models.Model):
    """An import that was asked for on the staff page, and how far it is."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        STOPPED = "stopped", _("Stopped")

    market = models.CharField(max_length=8, choices=Instrument.Market.choices)
    symbol = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    # UTC days, both inclusive
    first_day = models.DateField()
    last_day = models.DateField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    # asked to stop; the importer looks at it between two chunks
    is_to_stop = models.BooleanField(default=False)
    files = models.IntegerField(default=0)
    files_done = models.IntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    rows_per_second = models.IntegerField(default=0)
    # the file at work, or why it ended
    note = models.TextField(blank=True)
    # how often it was begun without coming to an end
    attempts = models.PositiveSmallIntegerField(default=0)
    asked_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    # moves while it runs: a running job that stands still was killed
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.symbol} {self.first_day}..{self.last_day} {self.state}"


class Retention(models.Model):
    """How long bars of a grain are kept; a row of an instrument goes before the general one."""

    class Grain(models.TextChoices):
        SECOND = "1s", "1 s"
        MINUTE = "1m", "1 m"
        HOUR = "1h", "1 h"
        DAY = "1d", "1 d"

    instrument = models.ForeignKey(
        Instrument, on_delete=models.CASCADE, null=True, blank=True, related_name="retentions"
    )
    grain = models.CharField(max_length=2, choices=Grain.choices)
    # whole UTC days; empty: for ever
    days = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["instrument", "grain"], name="retention", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(days=None) | models.Q(days__gte=2), name="retention_days"
            ),
        ]
        ordering: ClassVar = ["instrument", "grain"]

    def __str__(self) -> str:
        kept = "for ever" if self.days is None else f"{self.days} days"
        return f"{self.instrument or 'all'} {self.grain}: {kept}"


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


class ExchangeBan(models.Model):
    """A host that told this address to be silent; kept here too, since a Redis that was wiped must
    not let anybody call."""

    host = models.CharField(max_length=200, primary_key=True)
    until = models.DateTimeField()
    # what the exchange answered
    reason = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.host} until {self.until:%F %T}"


class Trouble(models.Model):
    """What somebody should know of a tape, in the exchange's words or ours."""

    class Kind(models.TextChoices):
        # a row that cannot be read was left out; `key` is its id
        ROW = "row", _("Unreadable row")
        # the exchange refuses to answer; `key` says what was asked for
        REFUSED = "refused", _("Refused")
        # nothing was collected for a while, since something in it cannot be worked with
        PARKED = "parked", _("Parked")

    instrument = models.ForeignKey(Instrument, on_delete=models.CASCADE, related_name="troubles")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=80, blank=True)
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["instrument", "kind", "key"], name="trouble_once")
        ]
        ordering: ClassVar = ["-updated_at"]

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.kind} {self.key}"


class CollectorWorker(models.Model):
    """A process that takes shares: how many there are decides how many shares there are."""

    name = models.CharField(max_length=120, primary_key=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class CollectorLease(models.Model):
    """Who collects a share. It only saves work: two collectors give the same bars as one."""

    share = models.CharField(max_length=80, primary_key=True)
    holder = models.CharField(max_length=120, blank=True)
    until = models.DateTimeField()
    # what the holder says of itself: connected, reconnecting, …
    state = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return f"{self.share} held by {self.holder}"
