"""How far an account's history is known, and who is reading it."""

from datetime import timedelta
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import ExchangeAccount
from journal.models.exchange import Market, OfAccount, OwnedManager, Wallet

# Requests before a pace can be told.
LEAST_FOR_PACE = 20


class Sync(models.Model):
    """One account's synchronisation: what was asked for, and how it stands."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Reading")
        COMPLETE = "complete", _("Complete")
        FAILED = "failed", _("Failed")

    account = models.OneToOneField(
        ExchangeAccount, on_delete=models.CASCADE, primary_key=True, related_name="sync"
    )
    # nothing before this day is asked for; empty: since Binance opened
    since = models.DateField(null=True, blank=True)
    # spot symbols that the user named, beside those that were found
    symbols = models.JSONField(default=list)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    # what is being done, or what went wrong: a text to translate, and what to put into it
    note = models.CharField(max_length=300, blank=True)
    note_values = models.JSONField(default=dict)
    # requests done and expected, of the run at work
    done = models.IntegerField(default=0)
    expected = models.IntegerField(default=0)
    # something happened that only REST tells in full
    is_due = models.BooleanField(default=False)
    # files that the exchange is making for us: what was asked -> its id
    downloads = models.JSONField(default=dict)
    # when older futures history may be asked for again
    older_after = models.DateTimeField(null=True)
    # the last reading of everything; between those only what is likely to have changed
    whole_at = models.DateTimeField(null=True)
    # when its user streams were last known to be heard whole
    heard_at = models.DateTimeField(null=True)
    # when open futures positions were last read whole, in the exchange's time
    positions_at = models.DateTimeField(null=True)
    # when funding and Earn were last asked for
    wallets_at = models.DateTimeField(null=True)
    # wallets that the exchange does not let us read: wallet -> [what it said, ISO time]
    unreadable = models.JSONField(default=dict)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # who reads: one worker at a time, taken over when it says nothing for a while
    holder = models.CharField(max_length=120, blank=True)
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.account_id} {self.state}"

    @property
    def left(self) -> timedelta | None:
        """How long it may still take, at the pace so far and as long as it has to wait; None before
        that can be said."""
        if self.started_at is None or self.done < LEAST_FOR_PACE or self.expected <= self.done:
            return None
        pace = (timezone.now() - self.started_at) / self.done
        return pace * (self.expected - self.done) + timedelta(seconds=self.waits_seconds)

    @property
    def waits_seconds(self) -> int:
        """As its note says."""
        seconds = self.note_values.get("seconds", 0)
        return seconds if isinstance(seconds, int) else 0


class Coverage(OfAccount):
    """What is known of one kind of history, of one symbol where the exchange answers by symbol."""

    class Kind(models.TextChoices):
        FILLS = "fills", _("Fills")
        ORDERS = "orders", _("Orders")
        CONDITIONALS = "conditional", _("Conditional orders")
        INCOME = "income", _("Futures income")
        DEPOSITS = "deposits", _("Deposits")
        WITHDRAWALS = "withdrawals", _("Withdrawals")
        DUST = "dust", _("Dust to BNB")
        CONVERTS = "converts", _("Converts")
        DIVIDENDS = "dividends", _("Distributions")
        TRANSFERS = "transfers", _("Between wallets")

    kind = models.CharField(max_length=12, choices=Kind.choices)
    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40, blank=True)
    # why the symbol is asked for: balance, income, transfer, convert, followed, chosen
    reason = models.CharField(max_length=12, blank=True)
    # the stretch of time that is known; what is not in between is in `holes`
    from_time = models.DateTimeField(null=True)
    to_time = models.DateTimeField(null=True)
    # stretches inside of it that nobody has read: [[from ms, to ms], …], oldest first
    holes = models.JSONField(default=list)
    # the next id to ask for from below, and the first of the newest ones that are known
    cursor = models.BigIntegerField(default=0)
    newest_first_id = models.BigIntegerField(null=True)
    newest_last_id = models.BigIntegerField(null=True)
    rows = models.IntegerField(default=0)
    oldest = models.DateTimeField(null=True)
    is_complete = models.BooleanField(default=False)
    # what the exchange does not give, and what to do about it
    note = models.CharField(max_length=200, blank=True)
    checked_at = models.DateTimeField(null=True)
    # when it was last read from its beginning, why (the difference, or `daily`; empty: for the
    # first time), and how often in a row that found nothing
    again_at = models.DateTimeField(null=True)
    again_why = models.CharField(max_length=120, blank=True)
    again_in_vain = models.IntegerField(default=0)
    # rows that the exchange told and that could not be kept: [{"id", "reason"}, …]
    left_out = models.JSONField(default=list)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "kind", "market", "symbol"], name="coverage_once"
            )
        ]
        ordering: ClassVar = ["market", "kind", "symbol"]

    def __str__(self) -> str:
        return f"{self.kind} {self.market} {self.symbol}"


class Difference(OfAccount):
    """The last comparison of one asset of one wallet: what its history adds up to against what the
    exchange reports."""

    wallet = models.CharField(max_length=8, choices=Wallet.choices)
    asset = models.CharField(max_length=20)
    calculated = models.DecimalField(max_digits=40, decimal_places=18)
    reported = models.DecimalField(max_digits=40, decimal_places=18)
    # a code of journal.reconciling; empty when both agree
    cause = models.CharField(max_length=20, blank=True)
    detail = models.JSONField(default=dict)
    compared_at = models.DateTimeField()

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "wallet", "asset"], name="difference_once")
        ]
        ordering: ClassVar = ["wallet", "asset"]

    def __str__(self) -> str:
        return f"{self.wallet} {self.asset} {self.difference}"

    @property
    def difference(self) -> Decimal:
        return self.reported - self.calculated
