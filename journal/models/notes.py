"""What a trader writes. It hangs on fills, so that no rebuild loses it: a trade shows the notes of
its fills."""

import uuid
import zoneinfo
from decimal import Decimal
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from journal.models.exchange import Market, OfAccount, OwnedManager
from journal.models.trades import Money


def validate_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("Expected a time zone such as Europe/Berlin."))


class OwnQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User) -> "OwnQuerySet":
        return self.filter(user=user)


OwnManager = models.Manager.from_queryset(OwnQuerySet)


class OfUser(models.Model):
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class Preferences(models.Model):
    """How a user's journal is computed and shown."""

    class Method(models.TextChoices):
        FIFO = "fifo", "FIFO"
        LIFO = "lifo", "LIFO"
        HIFO = "hifo", "HIFO"
        AVERAGE = "average", _("Average cost")

    class Unit(models.TextChoices):
        MONEY = "money", "$"
        PERCENT = "percent", "%"
        RISK = "risk", "R"

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="preferences"
    )
    method = models.CharField(max_length=8, choices=Method.choices, default=Method.FIFO)
    zone = models.CharField(max_length=64, default="UTC", validators=[validate_zone])
    # by its owner, or taken from the browser once
    is_zone_chosen = models.BooleanField(default=False, editable=False)
    # whether a purchase long after a trade's newest fill sets that trade aside by itself
    sets_aside = models.BooleanField(default=True)
    # what a trade without a first stop is taken to have risked, in dollars; null: nobody knows
    usual_risk = Money(
        null=True, blank=True, validators=[MinValueValidator(Decimal("0.01"))], decimal_places=2
    )
    # the hour of the zone's clock at which a trading day begins
    day_start = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(23)])
    # demo data: nothing yet, wanted, there (added), reviewed in part (told), or removed
    demo = models.CharField(max_length=8, blank=True, editable=False)
    # the report currency that the trades were last computed in
    built_currency = models.CharField(max_length=3, default="USD", editable=False)
    unit = models.CharField(max_length=8, choices=Unit.choices, default=Unit.MONEY)
    hides_amounts = models.BooleanField(default=False)
    # what the market page draws beside price and CVD: indicators, `marks`, `profile`, `pair`
    studies = models.JSONField(default=list, editable=False)
    # the home page's cards in their order, [[name, is shown], …]; empty: all, as they come
    home_cards = models.JSONField(default=list, editable=False)

    def __str__(self) -> str:
        return f"preferences of user {self.user_id}"

    @property
    def tzinfo(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.zone)


class Tag(OfUser):
    class Kind(models.TextChoices):
        TAG = "tag", _("Tag")
        MISTAKE = "mistake", _("Mistake")

    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TAG)
    name = models.CharField(max_length=40)

    objects = OwnManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind", "name"], name="tag_once")
        ]
        ordering: ClassVar = ["kind", "name"]

    def __str__(self) -> str:
        return self.name


class Setup(OfUser):
    """A pattern that a user trades: rules to tick, and conditions on the flow at the entry."""

    name = models.CharField(max_length=60)
    # sentences
    rules = models.JSONField(default=list)
    # {"direction": "LONG", "window": "1m", "least_share": "0.2"}; empty: none
    conditions = models.JSONField(default=dict)

    objects = OwnManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="setup_once")
        ]
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Annotation(OfUser):
    """A user's own words and plan of one trade."""

    # the fills that it hangs on, `market:symbol:id`; `trade_key` is the trade that has the first
    # of them now, kept in step by every rebuild
    fills = models.JSONField(default=list)
    trade_key = models.CharField(max_length=160)
    # Markdown
    note = models.TextField(blank=True, max_length=20_000)
    emotion = models.CharField(max_length=20, blank=True)
    rating = models.PositiveSmallIntegerField(
        null=True, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    setup = models.ForeignKey(
        Setup, on_delete=models.SET_NULL, null=True, related_name="annotations"
    )
    # numbers of the setup's rules that were kept; null: nobody has said yet
    rules_kept = models.JSONField(null=True)
    planned_entry = Money(null=True)
    # the first stop as its owner says it: R is measured by it, however the stop moves later, and
    # it wins over the one that was placed at the exchange
    initial_stop = Money(null=True)
    # what was said before: [{"stop": decimal text or null, "until": ISO time}, …], oldest first
    stop_history = models.JSONField(default=list)
    planned_stop = Money(null=True)
    planned_target = Money(null=True)
    reviewed_at = models.DateTimeField(null=True)
    tags: "models.ManyToManyField[Tag, Any]" = models.ManyToManyField(
        Tag, related_name="annotations"
    )
    updated_at = models.DateTimeField(auto_now=True)

    objects = OwnManager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["user", "trade_key"], name="notes_of_a_trade")]
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"note on {self.trade_key}"


class DayNote(OfUser):
    day = models.DateField()
    # Markdown
    note = models.TextField(blank=True, max_length=20_000)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OwnManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "day"], name="day_note_once")
        ]
        ordering: ClassVar = ["-day"]

    def __str__(self) -> str:
        return f"note on {self.day}"


class NoteTemplate(OfUser):
    name = models.CharField(max_length=60)
    text = models.TextField(max_length=5000)

    objects = OwnManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="template_once")
        ]
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class SavedView(OfUser):
    """Filters by name: a query of the trades page."""

    name = models.CharField(max_length=60)
    query = models.CharField(max_length=500)

    objects = OwnManager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "name"], name="view_once")]
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Screenshot(OfUser):
    """A picture on a trade, re-encoded by us, so that nothing but the picture is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # as an annotation's
    fills = models.JSONField(default=list)
    trade_key = models.CharField(max_length=160)
    # WebP
    image = models.BinaryField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnManager()

    class Meta:
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return f"{self.width} x {self.height} on {self.trade_key}"


class ManualFill(OfAccount):
    """A fill that the exchange does not tell of: entered by hand, or to mend a difference. It goes
    into the ledger beside the exchange's own and is never mixed up with them."""

    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    base = models.CharField(max_length=20)
    quote = models.CharField(max_length=20)
    side = models.CharField(max_length=4)
    price = models.DecimalField(max_digits=32, decimal_places=12)
    quantity = models.DecimalField(max_digits=32, decimal_places=12)
    fee = models.DecimalField(max_digits=32, decimal_places=12, default=0)
    fee_asset = models.CharField(max_length=20, blank=True)
    time = models.DateTimeField()
    why = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(quantity__gt=0), name="manual_quantity"),
            models.CheckConstraint(condition=models.Q(price__gte=0), name="manual_price"),
        ]
        ordering: ClassVar = ["-time"]

    def __str__(self) -> str:
        return f"by hand: {self.side} {self.quantity} {self.symbol}"
