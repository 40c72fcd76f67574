"""What the exchange says of a user's account, as it said it. Nothing here is computed by us, and
nothing that a user writes lands here: corrections stand apart (`journal.models.manual`)."""

from decimal import Decimal
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import ExchangeAccount, User


class Market(models.TextChoices):
    SPOT = "spot", _("Spot")
    USDM = "usdm", _("USD-M futures")


class Wallet(models.TextChoices):
    """Where an account's own coins lie; moving between them changes nothing of what is owned."""

    SPOT = "spot", _("Spot")
    USDM = "usdm", _("USD-M futures")
    FUNDING = "funding", _("Funding wallet")
    EARN = "earn", _("Earn")


class Source(models.TextChoices):
    REST = "rest", _("REST")
    STREAM = "stream", _("Stream")
    FILE = "file", _("File")


class OwnedQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> Self:
        """Rows of a user's own accounts, of the venue that this installation runs on."""
        return self.filter(account__user=user, account__venue=settings.VENUE)

    def of_account(self, account: str) -> Self:
        """Of the account with this id; empty: of all."""
        return self.filter(account=account) if account else self


OwnedManager = models.Manager.from_queryset(OwnedQuerySet)


class OfAccount(models.Model):
    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class Fill(OfAccount):
    """One execution of a user's order."""

    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    # the exchange's trade id, the same that the market's tape has
    trade_id = models.BigIntegerField()
    order_id = models.BigIntegerField()
    base = models.CharField(max_length=20)
    quote = models.CharField(max_length=20)
    side = models.CharField(max_length=4)
    position_side = models.CharField(max_length=5, default="BOTH")
    price = models.DecimalField(max_digits=32, decimal_places=12)
    quantity = models.DecimalField(max_digits=32, decimal_places=12)
    quote_quantity = models.DecimalField(max_digits=40, decimal_places=16)
    fee = models.DecimalField(max_digits=32, decimal_places=12)
    fee_asset = models.CharField(max_length=20, blank=True)
    # what the exchange booked as realised profit (futures only)
    realized = models.DecimalField(max_digits=32, decimal_places=12, null=True)
    is_maker = models.BooleanField()
    time = models.DateTimeField()
    source = models.CharField(max_length=6, choices=Source.choices)
    # put together from the statement's rows of one second: it may stand for several fills
    from_statement = models.BooleanField(default=False)
    # the file that told it; null: the exchange itself did
    upload = models.ForeignKey(
        "Upload", on_delete=models.SET_NULL, null=True, db_index=False, related_name="+"
    )

    # when to look at its order flow (again); null: nothing new can be known
    flow_due_at = models.DateTimeField(null=True, db_default=Now())

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "market", "symbol", "trade_id"], name="fill_once"
            ),
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="fill_quantity"),
            models.CheckConstraint(condition=models.Q(price__gte=0), name="fill_price"),
            models.CheckConstraint(condition=models.Q(side__in=["BUY", "SELL"]), name="fill_side"),
            models.CheckConstraint(
                condition=models.Q(position_side__in=["BOTH", "LONG", "SHORT"]),
                name="fill_position_side",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "-time", "-id"], name="fills_by_time"),
            models.Index(fields=["account", "market", "base", "time"], name="fills_of_a_base"),
            models.Index(fields=["account", "market", "quote", "time"], name="fills_of_a_quote"),
            models.Index(fields=["account", "fee_asset", "time"], name="fills_by_fee"),
            models.Index(fields=["account", "market", "symbol", "time"], name="fills_of_a_symbol"),
            models.Index(fields=["account", "symbol", "order_id"], name="fills_of_an_order"),
            models.Index(
                fields=["upload"], condition=models.Q(upload__isnull=False), name="fills_by_upload"
            ),
            models.Index(fields=["market", "symbol", "time"], name="fills_of_a_tape"),
            models.Index(
                fields=["flow_due_at"],
                condition=models.Q(flow_due_at__isnull=False),
                name="fills_to_stamp",
            ),
        ]
        ordering: ClassVar = ["-time", "-id"]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.symbol} at {self.price}"


class Order(OfAccount):
    """An order as the exchange last said it is."""

    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    order_id = models.BigIntegerField()
    client_id = models.CharField(max_length=64)
    side = models.CharField(max_length=4)
    position_side = models.CharField(max_length=5, default="BOTH")
    type = models.CharField(max_length=24)
    time_in_force = models.CharField(max_length=8, blank=True)
    # text, since the exchange may add to it
    status = models.CharField(max_length=24)
    price = models.DecimalField(max_digits=32, decimal_places=12)
    stop_price = models.DecimalField(max_digits=32, decimal_places=12, default=0)
    quantity = models.DecimalField(max_digits=32, decimal_places=12)
    executed = models.DecimalField(max_digits=32, decimal_places=12)
    # null: the answer did not say it (an acknowledgement, or of long ago)
    quote_executed = models.DecimalField(max_digits=40, decimal_places=16, null=True)
    is_reduce_only = models.BooleanField(default=False)
    closes_position = models.BooleanField(default=False)
    # of what a trigger made: the type of the conditional order
    original_type = models.CharField(max_length=24, blank=True)
    # the `OrderList` that it belongs to
    list_id = models.BigIntegerField(null=True)
    # why the exchange ended it, in its own word
    expiry_reason = models.CharField(max_length=48, blank=True)
    # when it was made
    time = models.DateTimeField()
    # the exchange's own time of the last change: an older message never undoes a newer one
    changed_at = models.DateTimeField()

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "market", "symbol", "order_id"], name="order_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["account", "-time"], name="orders_by_time")]
        ordering: ClassVar = ["-time"]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity} {self.symbol} {self.status}"

    @property
    def average_price(self) -> Decimal | None:
        if not self.executed or not self.quote_executed:
            return None
        average: Decimal = self.quote_executed / self.executed
        return average


class Transfer(OfAccount):
    """Something that moved a balance and was no order."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit", _("Deposit")
        WITHDRAWAL = "withdrawal", _("Withdrawal")
        CONVERT = "convert", _("Convert")
        DUST = "dust", _("Dust to BNB")
        DIVIDEND = "dividend", _("Distribution")
        INTERNAL = "internal", _("Between wallets")
        # redenominated or renamed by the exchange: the cost stays
        SWAP = "swap", _("Swapped by the exchange")
        OTHER = "other", _("Other")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    # the exchange's id within its kind; both halves of a convert have the same one
    external_id = models.CharField(max_length=80)
    asset = models.CharField(max_length=20)
    # signed: what the balance changed by, fees included
    amount = models.DecimalField(max_digits=40, decimal_places=18)
    # the part of it that was a fee
    fee = models.DecimalField(max_digits=40, decimal_places=18, default=0)
    time = models.DateTimeField()
    info = models.CharField(max_length=120, blank=True)
    # whose balance it moved: spot, and of files also funding, earn, coinm, …
    wallet = models.CharField(max_length=16, default="spot")
    source = models.CharField(max_length=6, choices=Source.choices)
    # the file that told it; null: the exchange itself did
    upload = models.ForeignKey("Upload", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "kind", "external_id", "asset"], name="transfer_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "time"], name="transfers_by_time"),
        ]
        ordering: ClassVar = ["-time", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.asset}"


class Income(OfAccount):
    """A line of the futures wallet: realised profit, commission, funding, transfer, …"""

    # incomeType as the exchange names it
    kind = models.CharField(max_length=40)
    # unique per kind and account
    external_id = models.CharField(max_length=40)
    asset = models.CharField(max_length=20)
    symbol = models.CharField(max_length=40, blank=True)
    amount = models.DecimalField(max_digits=32, decimal_places=12)
    time = models.DateTimeField()
    source = models.CharField(max_length=6, choices=Source.choices)
    # the file that told it; null: the exchange itself did
    upload = models.ForeignKey("Upload", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "kind", "external_id", "asset"], name="income_once"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["account", "kind", "time"], name="income_times")]
        ordering: ClassVar = ["-time", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount} {self.asset}"


class Balance(OfAccount):
    """What the exchange reports that a wallet holds now."""

    wallet = models.CharField(max_length=8, choices=Wallet.choices)
    asset = models.CharField(max_length=20)
    free = models.DecimalField(max_digits=40, decimal_places=18)
    locked = models.DecimalField(max_digits=40, decimal_places=18)
    updated_at = models.DateTimeField()

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "wallet", "asset"], name="balance_once")
        ]
        ordering: ClassVar = ["wallet", "asset"]

    def __str__(self) -> str:
        return f"{self.wallet} {self.total} {self.asset}"

    @property
    def total(self) -> Decimal:
        return self.free + self.locked


class DailyBalance(OfAccount):
    """What a wallet held at the end of a UTC day, and what that was worth in dollars then."""

    day = models.DateField()
    wallet = models.CharField(max_length=8, choices=Wallet.choices)
    asset = models.CharField(max_length=20)
    quantity = models.DecimalField(max_digits=40, decimal_places=18)
    # null where no market said what it was worth
    value_usd = models.DecimalField(max_digits=40, decimal_places=8, null=True)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "day", "wallet", "asset"], name="daily_balance_once"
            )
        ]
        ordering: ClassVar = ["-day", "wallet", "asset"]

    def __str__(self) -> str:
        return f"{self.day} {self.quantity} {self.asset}"


class FuturesPosition(OfAccount):
    """An open futures position as the exchange reports it."""

    symbol = models.CharField(max_length=40)
    position_side = models.CharField(max_length=5)
    # signed
    quantity = models.DecimalField(max_digits=32, decimal_places=12)
    entry_price = models.DecimalField(max_digits=32, decimal_places=12)
    mark_price = models.DecimalField(max_digits=32, decimal_places=12)
    liquidation_price = models.DecimalField(max_digits=32, decimal_places=12)
    unrealized = models.DecimalField(max_digits=32, decimal_places=12)
    margin = models.DecimalField(max_digits=32, decimal_places=12)
    margin_asset = models.CharField(max_length=20)
    margin_type = models.CharField(max_length=10, blank=True)
    leverage = models.PositiveSmallIntegerField(null=True)
    updated_at = models.DateTimeField()

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "symbol", "position_side"], name="futures_position_once"
            )
        ]
        ordering: ClassVar = ["symbol", "position_side"]

    def __str__(self) -> str:
        return f"{self.symbol} {self.quantity}"


class AssetPrice(models.Model):
    """Dollars that a coin was worth in a minute: what values fees and other currencies."""

    venue = models.CharField(max_length=16)
    asset = models.CharField(max_length=20)
    minute = models.DateTimeField()
    # null: the exchange was asked and has no candle of the hour before either
    price = models.DecimalField(max_digits=48, decimal_places=26, null=True)
    # the minute of the candle, where that is an earlier one
    of_minute = models.DateTimeField(null=True)
    # the symbol whose close it is; of a crossed price both
    symbol = models.CharField(max_length=84, blank=True)
    # asked for while the minute was open: asked for again when it is over
    is_final = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venue", "asset", "minute"], name="asset_price_once")
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["venue", "asset", "-minute"],
                name="asset_prices_known",
                condition=models.Q(price__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.asset} {self.minute:%F %R} {self.price}"
