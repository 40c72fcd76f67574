"""What a book comes to beside its trades: matches, payments, what is held, what is wrong."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from journal.models.exchange import Market, OfAccount, OwnedManager, OwnedQuerySet
from journal.models.trades import Book, Money, Trade


class RealizedQuerySet(OwnedQuerySet):
    def of_trades(self) -> "RealizedQuerySet":
        return self.filter(view__in=[Realized.View.BOTH, Realized.View.TRADES])

    def of_tax(self) -> "RealizedQuerySet":
        """The tax view, which adds up to the proof."""
        return self.filter(view__in=[Realized.View.BOTH, Realized.View.TAX])

    def of_tax_report(self) -> "RealizedQuerySet":
        """The tax view by what owners stated their deposits had cost (money.md 3.8)."""
        is_plain = models.Q(view__in=[Realized.View.BOTH, Realized.View.TAX])
        stated = models.Q(view=Realized.View.STATED)
        return self.filter(stated | is_plain & models.Q(book__has_stated=False))


class Realized(OfAccount):
    """One lot's part of an exit, in dollars: a line of the realised list. Every sum of money is a
    sum of these and of payments, by their own time."""

    class View(models.TextChoices):
        """By trades beside a stack, or by the method over the whole coin; mostly both say the
        same. And the tax report's own lines, where its owner stated costs."""

        BOTH = "both", _("Both")
        TRADES = "trades", _("Trades")
        TAX = "tax", _("Tax")
        STATED = "stated", _("By stated costs")

    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="realized")
    # null in the tax view, and between two kinds of cash
    trade = models.ForeignKey(Trade, on_delete=models.CASCADE, null=True, related_name="realized")
    view = models.CharField(max_length=6, choices=View.choices, default=View.BOTH)
    # journal.ledger.records.Match
    kind = models.CharField(max_length=10)
    market = models.CharField(max_length=8, choices=Market.choices)
    # the coin, or the contract's symbol
    asset = models.CharField(max_length=40)
    # the pair on which it left; of a coin that left without one, the coin
    symbol = models.CharField(max_length=40)
    # ids as the ledger has them: trade ids, manual-…, transfer ids
    opened_by = models.CharField(max_length=100)
    closed_by = models.CharField(max_length=100)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField()
    quantity = Money()
    entry_price = Money()
    exit_price = Money()
    gross = Money()
    fees = Money()
    net = Money()
    # the part of net whose cost nobody knows; in the report currency too
    apart = Money(default=0)
    apart_money = Money(null=True)
    # in the report currency of the closing minute; null: no market said so
    gross_money = Money(null=True)
    fees_money = Money(null=True)
    net_money = Money(null=True)

    objects = RealizedQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["account", "-closed_at"], name="realized_times"),
            models.Index(fields=["book", "closed_at"], name="realized_of_a_book"),
            # whether a book has matches of the tax view alone, which few have
            models.Index(
                fields=["book"], condition=models.Q(view="tax"), name="realized_for_tax_alone"
            ),
        ]
        ordering: ClassVar = ["-closed_at", "-id"]

    def __str__(self) -> str:
        return f"{self.symbol} {self.quantity} {self.net}"


class Payment(OfAccount):
    """Money that came or went without a match, at its worth in dollars: in is positive."""

    class Kind(models.TextChoices):
        FUNDING = "funding", _("Funding")
        # of a contract, returned or taken later
        FEE = "fee", _("Fee")
        INCOME = "income", _("Income")
        # booked by the exchange for fills that are not known
        RESULT = "result", _("Result without fills")
        DEPOSIT = "deposit", _("Deposit")
        WITHDRAWAL = "withdrawal", _("Withdrawal")
        OPENING = "opening", _("Opening")

    # what is shown as earned, beside the matches
    EARNED: ClassVar = (Kind.FUNDING, Kind.FEE, Kind.INCOME, Kind.RESULT)
    # what `realised` holds beside the matches
    REALISED: ClassVar = (Kind.FUNDING, Kind.FEE, Kind.RESULT)

    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="payments")
    trade = models.ForeignKey(Trade, on_delete=models.CASCADE, null=True, related_name="payments")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    # the row's own id
    external_id = models.CharField(max_length=100)
    time = models.DateTimeField()
    market = models.CharField(max_length=8, choices=Market.choices)
    asset = models.CharField(max_length=40)
    symbol = models.CharField(max_length=40, blank=True)
    quantity = Money()
    worth = Money()
    # in the report currency of its minute; null: no market said so
    money = Money(null=True)
    # it was never told, and must have been so
    is_assumed = models.BooleanField(default=False)

    objects = OwnedManager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["account", "kind", "time"], name="payments_by_time"),
            models.Index(fields=["book", "time"], name="payments_of_a_book"),
        ]
        ordering: ClassVar = ["-time", "-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity} {self.asset}"


class OpenPosition(OfAccount):
    """What the ledger says is held now, of a coin trade and stack together; amounts in dollars."""

    market = models.CharField(max_length=8, choices=Market.choices)
    # of a coin the pair that traded last, which prices it
    symbol = models.CharField(max_length=40)
    position_side = models.CharField(max_length=5)
    base = models.CharField(max_length=20)
    quote = models.CharField(max_length=20)
    # signed
    quantity = Money()
    # the part of it whose cost is known, signed, and what all of it cost on average
    known_quantity = Money(default=0)
    average_price = Money(null=True)
    realized_gross = Money()
    fees = Money()
    funding = Money()
    # the open trade's part of the quantity, and the one kept beside it
    trade_quantity = Money(default=0)
    stack_quantity = Money(default=0)
    # what is held cost, and the fees paid for it; of these the open trade's
    cost = Money(default=0)
    entry_fees = Money(default=0)
    trade_cost = Money(default=0)
    trade_fees = Money(default=0)
    # the exchange's own average entry (contracts)
    exchange_entry = Money(null=True)

    objects = OwnedManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "market", "base", "symbol", "position_side"],
                name="position_once",
            )
        ]
        ordering: ClassVar = ["market", "symbol"]

    def __str__(self) -> str:
        return f"{self.symbol} {self.quantity}"


class LedgerProblem(OfAccount):
    """Something in a book that its owner must know: left out, assumed, or contradicted."""

    book = models.ForeignKey(Book, on_delete=models.CASCADE, related_name="problems")
    market = models.CharField(max_length=8, choices=Market.choices)
    symbol = models.CharField(max_length=40)
    kind = models.CharField(max_length=32)
    fill_id = models.CharField(max_length=100)
    # the coin or contract that it is about
    asset = models.CharField(max_length=40, blank=True)
    quantity = Money()
    # dollars that may be off because of it, 0 or more
    worth = Money(default=0)
    time = models.DateTimeField(null=True)
    message = models.TextField()

    objects = OwnedManager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["book", "time"], name="problems_of_a_book")]
        ordering: ClassVar = ["symbol", "id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.symbol}"
