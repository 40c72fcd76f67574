"""What the ledger makes of the fills, kept so that screens read and never compute. Every row here
can be thrown away and made anew by `journal.services.rebuilding`."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from journal.models.exchange import Fill, Market, OfAccount, OwnedManager


class TradeQuerySet(models.QuerySet["Trade"]):
    def visible_to(self, user: User) -> "TradeQuerySet":
        return self.filter(account__user=user, account__venue=settings.VENUE)

    def closed(self) -> "TradeQuerySet":
        return self.filter(closed_at__isnull=False)


class Money(models.DecimalField):  # type: ignore[type-arg]
    """An amount: exact to 18 places, the ledger's divisions are rounded there once."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("max_digits", 44)
        options.setdefault("decimal_places", 18)
        super().__init__(*args, **options)


class Trade(OfAccount):
    """One round trip, flat to flat, as the ledger says it; amounts in the quote asset, the same in
    the report currency of the closing minute beside them."""

    class Against(models.TextChoices):
        """How the order flow before the entries stood to the trade's direction."""

        WITH = "with", _("With flow")
        MIXED = "mixed", _("Mixed")
        AGAINST = "against", _("Against flow")
        UNKNOWN = "unknown", _("No coverage")

    class ByHand(models.TextChoices):
        """Whether the trader joined or cut it (journal.services.grouping)."""

        NO = "", ""
        MERGE = "merge", _("Merged by hand")
        SPLIT = "split", _("Split by hand")

    # the ledger's own, the same after every rebuild: notes hang on it
    key = models.CharField(max_length=160)
    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    base = models.CharField(max_length=20)
    quote = models.CharField(max_length=20)
    position_side = models.CharField(max_length=5)
    direction = models.CharField(max_length=5)
    opened_at = models.DateTimeField()
    # null while it is open
    closed_at = models.DateTimeField(null=True)
    quantity = Money()
    entry_price = Money()
    exit_price = Money(null=True)
    gross = Money()
    fees = Money()
    funding = Money()
    net = Money()
    # in the owner's report currency: what one of the quote asset was worth when it closed (while
    # open: when it opened); null: no market said so, and the four below are null too
    rate = Money(null=True)
    gross_money = Money(null=True)
    fees_money = Money(null=True)
    funding_money = Money(null=True)
    net_money = Money(null=True)
    # what was put in, at the same rate: entry price x quantity
    size_money = Money(null=True)
    # what the exchange itself booked for its closing fills (futures)
    exchange_realized = Money(null=True)
    by_hand = models.CharField(max_length=5, choices=ByHand.choices, blank=True)
    fill_count = models.IntegerField()
    # of the quantity traded
    maker_share = models.DecimalField(max_digits=7, decimal_places=6)
    # from the tape (journal.services.stamping): null or unknown where it was not covered
    flow = models.CharField(max_length=8, choices=Against.choices, default=Against.UNKNOWN)
    # quote value traded by takers before the entries, with minus against: -1 to 1
    flow_share = models.DecimalField(max_digits=9, decimal_places=8, null=True)
    # worst and best result while open, gross; what the exit took of the best; in the quote asset
    worst = Money(null=True)
    best = Money(null=True)
    efficiency = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    # how far the price went in the trade's direction within 5 m and 1 h of the exit, in the quote
    after_5m = Money(null=True)
    after_1h = Money(null=True)
    # paid over the mid price, in the quote asset
    slippage = Money(null=True)
    # when the stamps were made, and whether later bars may still change them
    stamped_at = models.DateTimeField(null=True)
    is_stamp_final = models.BooleanField(default=False)
    fills: "models.ManyToManyField[Fill, Any]" = models.ManyToManyField(
        Fill, through="TradeFill", related_name="trades"
    )

    objects = TradeQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "key"], name="trade_key_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-opened_at"], name="trades_by_opening"),
            models.Index(fields=["account", "closed_at"], name="trades_by_closing"),
        ]
        ordering: ClassVar = ["-opened_at", "-id"]

    def __str__(self) -> str:
        return f"{self.direction} {self.symbol} {self.opened_at:%F %R}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class TradeFill(models.Model):
    """A fill of a trade; one that flips a position belongs to two."""

    trade = models.ForeignKey(Trade, on_delete=models.CASCADE, related_name="trade_fills")
    fill = models.ForeignKey(Fill, on_delete=models.CASCADE, related_name="trade_fills")
    # bought into it, or out of it
    is_entry = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["trade", "fill"], name="trade_fill_once")
        ]

    def __str__(self) -> str:
        return f"{self.fill_id} of {self.trade_id}"


class Realized(OfAccount):
    """A quantity that one fill opened and another closed: a line of the realised list."""

    trade = models.ForeignKey(Trade, on_delete=models.CASCADE, related_name="realized")
    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    # ids as the ledger has them: trade ids, manual-…, transfer ids
    opened_by = models.CharField(max_length=80)
    closed_by = models.CharField(max_length=80)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField()
    quantity = Money()
    entry_price = Money()
    exit_price = Money()
    gross = Money()
    fees = Money()
    net = Money()

    objects = OwnedManager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["account", "-closed_at"], name="realized_times")]
        ordering: ClassVar = ["-closed_at", "-id"]

    def __str__(self) -> str:
        return f"{self.symbol} {self.quantity} {self.net}"


class OpenPosition(OfAccount):
    """What the ledger says is held now."""

    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    position_side = models.CharField(max_length=5)
    base = models.CharField(max_length=20)
    quote = models.CharField(max_length=20)
    # signed
    quantity = Money()
    # the part of it whose cost is known, signed, and what that cost on average
    known_quantity = Money(default=0)
    average_price = Money(null=True)
    realized_gross = Money()
    fees = Money()
    funding = Money()

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "market", "symbol", "position_side"], name="position_once"
            )
        ]
        ordering: ClassVar = ["market", "symbol"]

    def __str__(self) -> str:
        return f"{self.symbol} {self.quantity}"


class Book(OfAccount):
    """What the ledger computes in one go: all spot symbols of a coin, or one futures symbol. Due
    while `built` is behind `version`."""

    market = models.CharField(max_length=8, choices=Market.choices)
    # the base asset on spot, the symbol on futures
    name = models.CharField(max_length=40)
    # grows with everything that may change its trades, in the same transaction
    version = models.BigIntegerField(default=1)
    built = models.BigIntegerField(default=0)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "market", "name"], name="book_once")
        ]

    def __str__(self) -> str:
        return f"{self.market} {self.name}"


class LedgerProblem(OfAccount):
    """Something that the ledger left out rather than guess."""

    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    kind = models.CharField(max_length=32)
    fill_id = models.CharField(max_length=80)
    quantity = Money()
    message = models.TextField()

    objects = OwnedManager()

    class Meta:
        ordering: ClassVar = ["symbol", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol}"


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
