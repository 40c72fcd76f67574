"""What is open, in the unit that its reader has chosen: the same figure in every list and head."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from accounts.models import User
from journal.models import Market, Preferences, Trade
from journal.selectors.trades import with_notes
from journal.services import valuing
from journal.services.valuing import Valued

Unit = Preferences.Unit
ZERO = Decimal(0)
SUFFIX = {Unit.MONEY: "", Unit.PERCENT: "%", Unit.RISK: "R"}


@dataclass(frozen=True)
class OpenResult:
    """`per` is how much money one of the unit is: a hundredth of what was put in, or what the
    trade risked; None where that unit knows nothing of it. `risk` is in money, `risk_to_stop` what
    of it a first stop says."""

    item: Valued
    per: Decimal | None
    risk: Decimal | None
    risk_to_stop: Decimal | None
    # of its open trade, without what is kept beside it
    is_of_trade: bool = False

    @property
    def money(self) -> Decimal | None:
        return self.item.trade_unrealized_money if self.is_of_trade else self.item.unrealized_money

    @property
    def r(self) -> Decimal | None:
        return None if self.money is None or not self.risk else self.money / self.risk

    @property
    def value(self) -> Decimal | None:
        return None if self.money is None or not self.per else self.money / self.per


@dataclass(frozen=True)
class OpenSum:
    """`value` and `per` of all that have one; `known` of `count` do. `risk`: to the first stops of
    `with_stop`."""

    value: Decimal | None
    per: Decimal | None
    known: int
    count: int
    risk: Decimal
    with_stop: int

    @property
    def without_stop(self) -> int:
        return self.count - self.with_stop


def open_results(user: User, chosen: Preferences, account: str = "") -> list[OpenResult]:
    """Of one account, or of all."""
    return results_of(user, chosen, valuing.value_positions(user, account))


def of_trade(user: User, chosen: Preferences, trade: Trade) -> OpenResult | None:
    """None of one that is closed, or whose position is not known."""
    if not trade.is_open:
        return None
    return of_trades(user, chosen, str(trade.account_id)).get(trade.pk)


def of_trades(user: User, chosen: Preferences, account: str = "") -> dict[int, OpenResult]:
    """By the open trade's id, without what is kept beside it."""
    items = valuing.value_positions(user, account)
    results = results_of(user, chosen, items, are_of_trades=True)
    return {one.item.trade_id: one for one in results if one.item.trade_id is not None}


def results_of(
    user: User, chosen: Preferences, items: Iterable[Valued], *, are_of_trades: bool = False
) -> list[OpenResult]:
    positions = list(items)
    ids = [item.trade_id for item in positions if item.trade_id is not None]
    lines = with_notes(user, Trade.objects.visible_to(user).filter(pk__in=ids))
    risks = {line.trade.pk: (line.risk, line.risk_to_stop) for line in lines}
    results = []
    for item in positions:
        # a stack beside the trade is in the position's result, and no stop is of it
        is_alone = are_of_trades or not item.position.stack_quantity
        unknown = None, None
        risk, to_stop = risks.get(item.trade_id or 0, unknown) if is_alone else unknown
        per = _per(item, risk, chosen, are_of_trades=are_of_trades)
        results.append(OpenResult(item, per, risk, to_stop, are_of_trades))
    return results


def sum_of(results: Iterable[OpenResult], chosen: Preferences) -> OpenSum:
    """Money and R are added up; per cent are of all that was put in."""
    every = list(results)
    known = [one for one in every if one.value is not None]
    value: Decimal | None = sum((one.value or ZERO for one in known), ZERO)
    per: Decimal | None = Decimal(1)
    if chosen.unit == Unit.PERCENT:
        money = sum((one.item.unrealized_money or ZERO for one in known), ZERO)
        per = sum((one.per or ZERO for one in known), ZERO)
        value = money / per if per else None
    risks = [one.risk_to_stop for one in every if one.risk_to_stop is not None]
    return OpenSum(
        value=value if known else None,
        per=per,
        known=len(known),
        count=len(every),
        risk=sum(risks, ZERO),
        with_stop=len(risks),
    )


def suffix_of(chosen: Preferences) -> str:
    return SUFFIX[Unit(chosen.unit)]


def _per(
    item: Valued, risk: Decimal | None, chosen: Preferences, *, are_of_trades: bool
) -> Decimal | None:
    if chosen.unit == Unit.RISK:
        return risk or None
    if chosen.unit == Unit.PERCENT:
        if are_of_trades and item.position.market == Market.SPOT:
            put_in = item.position.trade_cost + item.position.trade_fees
            return None if item.rate is None else put_in * item.rate / 100 or None
        value, result = item.value_money, item.unrealized_money
        return None if value is None or result is None else abs(value - result) / 100 or None
    return Decimal(1)
