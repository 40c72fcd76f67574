"""What the ledger makes of the fills, kept so that screens read and never compute. Every row here
can be thrown away and made anew by `journal.books.rebuilding`."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from journal.models.exchange import Fill, Market, OfAccount, OwnedManager


class TradeQuerySet(models.QuerySet["Trade"]):
    def visible_to(self, user: User) -> "TradeQuerySet":
        return self.filter(account__user=user, account__venue=settings.VENUE)

    def closed(self) -> "TradeQuerySet":
        return self.filter(closed_at__isnull=False)

    def locked(self) -> list[int]:
        """Their ids. Whoever writes on several rows locks them first, in one order, so that no two
        wait for one another."""
        rows = self.select_for_update(of=("self",), no_key=True).order_by("pk")
        return list(rows.values_list("pk", flat=True))

    def locked_where_free(self) -> set[int]:
        """The same without those that somebody else writes on just now."""
        rows = self.select_for_update(of=("self",), no_key=True, skip_locked=True).order_by("pk")
        return set(rows.values_list("pk", flat=True))

    def mark(self, **values: Any) -> int:
        """Written on all of them; returns how many there are."""
        with transaction.atomic():
            return Trade.objects.filter(pk__in=self.locked()).update(**values)


class Money(models.DecimalField):  # type: ignore[type-arg]
    """An amount: exact to 18 places, the ledger's divisions are rounded there once."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("max_digits", 44)
        options.setdefault("decimal_places", 18)
        super().__init__(*args, **options)


class Trade(OfAccount):
    """One trade as a person reads it, as the ledger says it. Amounts are in dollars (`quote` names
    the dollar coin where all its pairs have the same one), beside them the same in the report
    currency, each match and payment by the rate of its own minute."""

    class Kind(models.TextChoices):
        TRADE = "trade", _("Trade")
        # what one order took from the coins kept beside
        STACK = "stack", _("From the stack")

    class Against(models.TextChoices):
        """How the order flow before the entries stood to the trade's direction."""

        WITH = "with", _("With flow")
        MIXED = "mixed", _("Mixed")
        AGAINST = "against", _("Against flow")
        UNKNOWN = "unknown", _("Not known yet")

    class ByHand(models.TextChoices):
        """Whether the trader joined or cut it (journal.services.grouping)."""

        NO = "", ""
        MERGE = "merge", _("Merged by hand")
        SPLIT = "split", _("Split by hand")

    class StopMoves(models.TextChoices):
        NONE = "", _("No stop at the exchange")
        KEPT = "kept", _("Stop kept")
        TOWARDS = "towards", _("Stop moved towards the price")
        AWAY = "away", _("Stop moved away from the price")
        BOTH = "both", _("Stop moved both ways")

    # the ledger's own, the same after every rebuild as long as its first fill is
    key = models.CharField(max_length=160)
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.TRADE)
    # a kind of match, `set_aside`, `forgotten`, `delivery`; empty while it is open
    ended_by = models.CharField(max_length=12, blank=True)
    # more than a hundredth of it is of unknown cost: in no statistic
    is_apart = models.BooleanField(default=False)
    # its first purchase set an older trade of the coin aside by itself
    ends_older = models.BooleanField(default=False)
    # what its matches were made of: a rebuild that finds another writes them anew
    digest = models.CharField(max_length=32, blank=True)
    # every pair that it was traded on; `symbol` is that of its first fill
    pairs = models.JSONField(default=list)
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
    # dollars of one of the quote asset of `symbol` when it was opened, to read its prices there
    quote_rate = Money(default=1)
    # in the owner's report currency: what a dollar was worth when it closed (while open: when it
    # opened); null: no market said so, and the four below are null too
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
    # from the market's bars (journal.stamps): null or unknown where nothing is known
    flow = models.CharField(max_length=8, choices=Against.choices, default=Against.UNKNOWN)
    # quote value traded by takers before the entries, with minus against: -1 to 1
    flow_share = models.DecimalField(max_digits=9, decimal_places=8, null=True)
    # the one window of all entries that both are of, and the least of what they were made of
    flow_window = models.CharField(max_length=3, blank=True)
    flow_basis = models.CharField(max_length=10, blank=True)
    # worst and best result while open, gross; what the exit took of the best; in the quote asset
    worst = Money(null=True)
    best = Money(null=True)
    # the same with the minutes of its own fills, where only minutes are known; null: exact
    worst_to = Money(null=True)
    best_to = Money(null=True)
    efficiency = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    # how far the price went in the trade's direction within 5 m and 1 h of the exit, in the quote
    after_5m = Money(null=True)
    after_1h = Money(null=True)
    # paid over the mid price, in the quote asset
    slippage = Money(null=True)
    # from the orders that were open at the exchange (journal.books.protecting): the first stop and
    # target that protected it, whoever placed them, and when; null: there was none
    placed_stop = Money(null=True)
    placed_stop_at = models.DateTimeField(null=True)
    placed_target = Money(null=True)
    placed_target_at = models.DateTimeField(null=True)
    # what became of the stop while it was open
    stop_moves = models.CharField(max_length=8, choices=StopMoves.choices, blank=True)
    # when these were last made out; null: they have to be
    protected_at = models.DateTimeField(null=True)
    # when to look at the stamps (again); null: nothing can change them
    stamp_due_at = models.DateTimeField(null=True, db_default=Now())
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
            models.Index(fields=["account", "net_money"], name="trades_by_result"),
            models.Index(
                fields=["account", "market", "base", "closed_at"], name="trades_of_a_coin"
            ),
            models.Index(
                fields=["account", "market", "symbol", "closed_at"], name="trades_of_a_symbol"
            ),
            models.Index(
                fields=["account"],
                condition=models.Q(protected_at__isnull=True),
                name="trades_to_protect",
            ),
            models.Index(fields=["market", "symbol", "opened_at"], name="trades_of_a_tape"),
            models.Index(
                fields=["stamp_due_at"],
                condition=models.Q(stamp_due_at__isnull=False),
                name="trades_to_stamp",
            ),
        ]
        ordering: ClassVar = ["-opened_at", "-id"]

    def __str__(self) -> str:
        return f"{self.direction} {self.symbol} {self.opened_at:%F %R}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def is_aside(self) -> bool:
        return self.ended_by in {"set_aside", "forgotten"}

    @property
    def name(self) -> str:
        """Of a coin its own, of a contract its symbol."""
        return self.base if self.market == Market.SPOT else self.symbol


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


# Before all that any exchange can tell.
BEGINNING = datetime(2010, 1, 1, tzinfo=UTC)


class Book(OfAccount):
    """What the ledger computes in one go: a coin or a currency of an account over all its pairs and
    wallets, or one contract. Due while `built` is behind `version`."""

    market = models.CharField(max_length=8, choices=Market.choices)
    # the asset on spot, the symbol on futures
    name = models.CharField(max_length=40)
    # grows with everything that may change its trades, in the same transaction
    version = models.BigIntegerField(default=1)
    built = models.BigIntegerField(default=0)
    # while it is due: nothing before this moment has changed
    changed_from = models.DateTimeField(default=BEGINNING)
    # why it could not be built, and when that is tried again; empty while it can
    problem = models.CharField(max_length=300, blank=True)
    failures = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    # of its payments and of what belongs to no trade, as `Trade.digest`
    digest = models.CharField(max_length=32, blank=True)
    # of a contract: profit by the exchange's own rule, in the asset it settles in
    exchange_realized = Money(default=0)
    # of a currency: how much moved, and the dollars that it was booked at
    moved = Money(default=0)
    booked = Money(default=0)
    # the tax report has lines of its own, since costs of deposits were stated
    has_stated = models.BooleanField(default=False)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "market", "name"], name="book_once")
        ]

    def __str__(self) -> str:
        return f"{self.market} {self.name}"
