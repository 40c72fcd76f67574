"""The identity (money.md 6): what is shown as earned is the change of wealth.

realised + unrealised + income + currency_effect
    = (worth - opening - deposits + withdrawals) + unexplained

The left side comes from the ledger's matches and payments. On the right `worth` is what the
exchange reports, and `unexplained` what the rows themselves add up to beyond it: two ways through
the same history that share no sum.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, Sum
from django.db.models.functions import Coalesce

from accounts.models import ExchangeAccount
from journal.books import holdings
from journal.models import (
    Book,
    FuturesPosition,
    LedgerProblem,
    Market,
    OpenPosition,
    Payment,
    Realized,
)
from lib.cash import CURRENCIES, DOLLARS

ZERO = Decimal(0)
WIDE = DecimalField(max_digits=80, decimal_places=18)
# What the exchange's own rounding may leave of a whole account, in the currency.
ROUNDED_AWAY = Decimal("0.01")
# Reasons that go away by themselves.
STILL_READING, BOOK_DUE = "still_reading", "book_due"
UNFINISHED = frozenset({STILL_READING, BOOK_DUE})
# dollars of one of an asset; of a contract its mark; None where nobody knows
PriceOf = Callable[[str], Decimal | None]
MarkOf = Callable[[str], Decimal | None]


@dataclass(frozen=True)
class Reason:
    """Why the numbers may be off, and by how many dollars at most."""

    kind: str
    count: int
    worth: Decimal
    assets: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Proof:
    """Every item in `currency`, at one moment and one price a coin."""

    currency: str
    at: datetime
    since: datetime | None
    opening: Decimal
    worth: Decimal
    deposits: Decimal
    withdrawals: Decimal
    realised: Decimal
    unrealised: Decimal
    income: Decimal
    currency_effect: Decimal
    unexplained: Decimal
    # of `realised`: from what nobody knows the cost of; taken along by withdrawals
    apart: Decimal
    taken_along: Decimal
    tax_realised: Decimal
    tax_unrealised: Decimal
    # what the tax report has beyond `tax_realised`, since costs of deposits were stated
    by_stated_costs: Decimal
    reasons: list[Reason]

    @property
    def earned(self) -> Decimal:
        return self.realised + self.unrealised + self.income + self.currency_effect

    @property
    def change(self) -> Decimal:
        return self.worth - self.opening - self.deposits + self.withdrawals

    @property
    def explained(self) -> Decimal:
        """The right side: the change of wealth and what the balances do not show."""
        return self.change + self.unexplained

    @property
    def is_exact(self) -> bool:
        """The exchange reports what was calculated, but for the digits that it cuts."""
        return abs(self.unexplained) < ROUNDED_AWAY

    @property
    def is_unfinished(self) -> bool:
        """The history is still being read, or its books computed: the numbers are of a part."""
        return any(reason.kind in UNFINISHED for reason in self.reasons)

    @property
    def difference(self) -> Decimal:
        """0 but for the rounding of each row at its 18th place."""
        return self.earned - self.change - self.unexplained

    @property
    def may_be_off(self) -> Decimal:
        return sum((reason.worth for reason in self.reasons), ZERO)


def prove(
    accounts: Iterable[ExchangeAccount],
    currency: str,
    price_of: PriceOf,
    mark_of: MarkOf,
    at: datetime,
) -> Proof:
    """Of several accounts together: what one sent to another is withdrawn and deposited."""
    with localcontext(prec=60):
        return _Proving(list(accounts), currency, price_of, mark_of, at).proof()


class _Proving:
    def __init__(
        self,
        accounts: Sequence[ExchangeAccount],
        currency: str,
        price_of: PriceOf,
        mark_of: MarkOf,
        at: datetime,
    ) -> None:
        self._ids = [account.pk for account in accounts]
        self.mine = Q(account__in=self._ids)
        self.currency = currency
        self.at = at
        self._price_of = price_of
        self._mark_of = mark_of
        self._unpriced: dict[str, Decimal] = {}
        # account -> what its contracts are above their entry
        self._floating: dict[Any, Decimal] = {}
        unit = Decimal(1) if currency in DOLLARS else price_of(currency)
        # of one dollar, in the currency
        self.rate = 1 / unit if unit else Decimal(1)
        self._reasons: list[Reason] = []
        if not unit:
            self._reasons.append(Reason("missing_rate", 1, ZERO, [currency]))

    def proof(self) -> Proof:
        rate = self.rate
        # before the sums: what is finished while they are made counts as unfinished
        unfinished = self._unfinished()
        payments = self._payments()
        matches, apart, taken = self._matches()
        tax_matches = self._sum(Realized.objects.filter(self.mine).of_tax())
        report = self._sum(Realized.objects.filter(self.mine).of_tax_report())
        results = _added(payments, Payment.REALISED)
        realised = _plus(matches, results)
        income = payments.get(Payment.Kind.INCOME, (ZERO, ZERO))
        deposits = payments.get(Payment.Kind.DEPOSIT, (ZERO, ZERO))
        withdrawals = payments.get(Payment.Kind.WITHDRAWAL, (ZERO, ZERO))
        opening = payments.get(Payment.Kind.OPENING, (ZERO, ZERO))
        unrealised, floating = self._unrealised()
        moved = self._currency_moves()
        held = self._held()
        calculated = self._worth_of(held) + floating
        worth = self._reported(held, floating)
        # dollars at the end less what each was told at its own moment (money.md 6, b)
        told = (opening, deposits, withdrawals, realised, income)
        drift = sum((dollars * rate - money for dollars, money in told), ZERO)
        proof = Proof(
            currency=self.currency,
            at=self.at,
            since=holdings.since(self.mine),
            opening=opening[1],
            worth=worth * rate,
            deposits=deposits[1],
            withdrawals=-withdrawals[1],
            realised=realised[1],
            unrealised=unrealised * rate,
            income=income[1],
            currency_effect=moved * rate + drift,
            unexplained=(calculated - worth) * rate,
            apart=apart + payments.get(Payment.Kind.RESULT, (ZERO, ZERO))[1],
            taken_along=taken,
            tax_realised=tax_matches[1] + results[1],
            by_stated_costs=report[1] - tax_matches[1],
            tax_unrealised=(realised[0] + unrealised - tax_matches[0] - results[0]) * rate,
            reasons=self._all_reasons(),
        )
        return replace(proof, reasons=[*_valued(unfinished, proof), *proof.reasons])

    # --- what the ledger says -------------------------------------------------------------------

    def _money(self, dollars: str, money: str) -> Any:
        """A row whose currency had no rate counts at today's."""
        today = ExpressionWrapper(F(dollars) * self.rate, output_field=WIDE)
        return Coalesce(F(money), today, output_field=WIDE)

    def _sum(self, rows: Any) -> tuple[Decimal, Decimal]:
        sums = rows.aggregate(
            dollars=Sum("net"), money=Sum(self._money("net", "net_money"), output_field=WIDE)
        )
        return sums["dollars"] or ZERO, sums["money"] or ZERO

    def _matches(self) -> tuple[tuple[Decimal, Decimal], Decimal, Decimal]:
        """((dollars, money), apart, taken along), the last two in the currency."""
        rows = Realized.objects.filter(self.mine).of_trades()
        told = Sum(self._money("apart", "apart_money"), output_field=WIDE)
        apart = rows.aggregate(sum=told)["sum"] or ZERO
        taken = self._sum(rows.filter(kind="withdrawn"))
        return self._sum(rows), apart, taken[1]

    def _payments(self) -> dict[str, tuple[Decimal, Decimal]]:
        rows = (
            Payment.objects.filter(self.mine)
            .order_by()
            .values("kind")
            .annotate(
                dollars=Sum("worth"),
                money_sum=Sum(self._money("worth", "money"), output_field=WIDE),
            )
        )
        return {row["kind"]: (row["dollars"], row["money_sum"]) for row in rows}

    def _unrealised(self) -> tuple[Decimal, Decimal]:
        """(after the entry fees of what is open, what contracts alone are above their entry by the
        exchange's own rule)"""
        total = floating = ZERO
        for row in OpenPosition.objects.filter(self.mine):
            if row.market == Market.SPOT:
                price = self._price(row.base, row.quantity, row.cost)
                total += row.quantity * price - row.cost - row.entry_fees
                continue
            unit = self._price(row.quote, row.quantity, row.cost)
            mark = self._mark_of(row.symbol)
            if mark is None:
                self._unpriced[row.symbol] = row.cost * unit
                mark = row.average_price or ZERO
            entry = row.average_price or ZERO
            total += ((mark - entry) * row.quantity - row.entry_fees) * unit
            exchange_entry = entry if row.exchange_entry is None else row.exchange_entry
            above = (mark - exchange_entry) * row.quantity * unit
            floating += above
            self._floating[row.account_id] = self._floating.get(row.account_id, ZERO) + above
        return total, floating

    def _currency_moves(self) -> Decimal:
        """What currencies are worth beyond the dollars that each of their flows was booked at."""
        total = ZERO
        books = Book.objects.filter(self.mine, market=Market.SPOT, name__in=CURRENCIES)
        for book in books.exclude(moved=0, booked=0):
            total += book.moved * self._price(book.name, book.moved, book.booked) - book.booked
        return total

    # --- what is held ---------------------------------------------------------------------------

    def _held(self) -> dict[str, Decimal]:
        """By the rows alone for money; of coins what the lots hold."""
        held = holdings.of_money(self.mine)
        coins = OpenPosition.objects.filter(self.mine, market=Market.SPOT).values("base")
        for row in coins.annotate(sum=Sum("quantity")).order_by():
            held[row["base"]] = held.get(row["base"], ZERO) + row["sum"]
        return held

    def _reported(self, held: dict[str, Decimal], floating: Decimal) -> Decimal:
        """As the exchange says; of an account that it says nothing of, what was calculated."""
        reported, silent = holdings.reported(self.mine)
        worth = self._worth_of(reported)
        if not reported:
            return self._worth_of(held) + floating
        for row in FuturesPosition.objects.filter(self.mine):
            mark = self._mark_of(row.symbol)
            worth += ((row.mark_price if mark is None else mark) - row.entry_price) * row.quantity
        for account in silent:
            worth += self._worth_of(holdings.of_account(account))
            worth += self._floating.get(account.pk, ZERO)
        return worth

    def _worth_of(self, held: dict[str, Decimal]) -> Decimal:
        return sum(
            (quantity * self._price(asset, quantity, ZERO) for asset, quantity in held.items()),
            ZERO,
        )

    def _price(self, asset: str, quantity: Decimal, cost: Decimal) -> Decimal:
        """0 where none was ever known, and a reason."""
        if asset in DOLLARS:
            return Decimal(1)
        price = self._price_of(asset)
        if price is None and quantity:
            self._unpriced[asset] = max(self._unpriced.get(asset, ZERO), abs(cost))
        return price or ZERO

    # --- why it may be off ----------------------------------------------------------------------

    def _unfinished(self) -> list[Reason]:
        """What is not known yet but will be: histories, and books of what was read."""
        reasons = []
        accounts = ExchangeAccount.objects.filter(pk__in=self._ids).exclude(last_four="")
        count = accounts.filter(sync__isnull=False, sync__finished_at=None).count()
        if count:
            reasons.append(Reason(STILL_READING, count, ZERO))
        due = Book.objects.filter(self.mine, built__lt=F("version"), problem="")
        names = sorted(due.values_list("name", flat=True))
        if names:
            reasons.append(Reason(BOOK_DUE, len(names), ZERO, names[:10]))
        return reasons

    def _all_reasons(self) -> list[Reason]:
        problems = LedgerProblem.objects.filter(self.mine).order_by().values("kind")
        reasons = list(self._reasons)
        for row in problems.annotate(count=Count("id"), sum=Sum("worth")).order_by("kind"):
            assets = (
                LedgerProblem.objects.filter(self.mine, kind=row["kind"])
                .order_by("asset")
                .values_list("asset", flat=True)
                .distinct()[:10]
            )
            reasons.append(
                Reason(row["kind"], row["count"], row["sum"] * self.rate, [a for a in assets if a])
            )
        for asset, worth in sorted(self._unpriced.items()):
            reasons.append(Reason("no_price_now", 1, worth * self.rate, [asset]))
        parked = Book.objects.filter(self.mine).exclude(problem="")
        names = sorted(parked.values_list("name", flat=True))
        if names:
            reasons.append(Reason("book_not_built", len(names), ZERO, names[:10]))
        return reasons


def _valued(unfinished: list[Reason], proof: Proof) -> list[Reason]:
    """What does not add up while something is unfinished is put down to that, once."""
    open_money = abs(proof.difference) + abs(proof.unexplained)
    return [
        replace(reason, worth=ZERO if place else open_money)
        for place, reason in enumerate(unfinished)
    ]


def _plus(one: tuple[Decimal, Decimal], other: tuple[Decimal, Decimal]) -> tuple[Decimal, Decimal]:
    return one[0] + other[0], one[1] + other[1]


def _added(
    payments: dict[str, tuple[Decimal, Decimal]], kinds: Iterable[str]
) -> tuple[Decimal, Decimal]:
    total = (ZERO, ZERO)
    for kind in kinds:
        total = _plus(total, payments.get(kind, (ZERO, ZERO)))
    return total
