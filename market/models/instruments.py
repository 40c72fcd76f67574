"""What can be followed, and what the exchange lists."""

from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from market.instruments import InstrumentKey


class Instrument(models.Model):
    """One market of one venue: the owner of a tape."""

    class Market(models.TextChoices):
        SPOT = "spot", _("Spot")
        USDM = "usdm", _("USD-M futures")

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
    # when its first picture was made: the last day in minutes, a year in days
    charted_at = models.DateTimeField(null=True, editable=False)
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
    # what else the exchange says that orders need: opoAllowed, orderTypes, …
    options = models.JSONField(default=dict)
    refreshed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venue", "market", "symbol"], name="listing_once")
        ]
        ordering: ClassVar = ["market", "symbol"]

    def __str__(self) -> str:
        return f"{self.market} {self.symbol}"
