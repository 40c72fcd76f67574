"""What an order would be, before it is one; for keys that may not trade too."""

from decimal import Decimal
from typing import Any

from accounts.models import ExchangeAccount, User
from lib.decimals import plain
from trading import sizing, wanted
from trading.errors import TradingError
from trading.selectors.record import record_of
from trading.sentences import told as _
from trading.services import guarding, planning, pricing
from trading.services.placing import account_of
from trading.services.planning import Plan

CENT = Decimal("0.00000001")


def preview(*, user: User, body: Any) -> dict[str, Any]:
    """Raises BadOrder, NotFound for what nothing can be said of, Away before anything can."""
    wish = wanted.read(body)
    account = account_of(user, wish.account)
    plan = planning.plan(account, wish, is_preview=True)
    answer: dict[str, Any] = {
        "quantity": _text(plan.quantity),
        "notional": _text(plan.notional),
        "entry": _text(plan.entry),
        "mark": _text(plan.prices.mark),
        "risk": _text(plan.risk if wish.stop is not None else None),
        **_fees(plan),
        **_slippage(plan),
        "margin": None,
        "liquidation": None,
        "r": _r(plan),
        **_moment(user, plan),
    }
    warnings: list[dict[str, Any]] = []
    if wish.market == "usdm" and not wish.reduces:
        _futures(account, plan, answer, warnings)
    problems = [problem.as_json() for problem in plan.problems]
    problems += _guards(user, account, plan, warnings)
    if wish.stop is None and not wish.reduces:
        _warn(warnings, "no_stop", _("This entry has no stop."))
    return {**answer, "warnings": warnings, "problems": problems}


def _fees(plan: Plan) -> dict[str, Any]:
    """`fee` is both ways, in the quote."""
    if plan.notional is None or plan.entry is None or plan.quantity is None:
        return {"fee": None, "fees": None}
    leave = plan.wanted.stop or plan.entry
    takes = plan.wanted.type not in {"LIMIT", "LIMIT_MAKER"}
    fees = sizing.fees(plan.quantity, plan.entry, leave, plan.rates, takes=takes)
    parts = {"entry": _money(fees.entry), "exit": _money(fees.exit)}
    return {"fee": _money(fees.both), "fees": parts}


def _slippage(plan: Plan) -> dict[str, Any]:
    """`slippage` in the quote, of what takes from the book at once; 0 for what waits in it. With
    `is_deep` False the book as it is seen does not hold so much."""
    if plan.wanted.type != "MARKET":
        return {"slippage": "0", "expected_price": _text(plan.entry), "is_deep": True}
    levels = plan.prices.levels(is_buy=plan.wanted.is_buy)
    slippage = None if plan.quantity is None else sizing.slippage(levels, plan.quantity)
    if slippage is None:
        return {"slippage": None, "expected_price": _text(plan.entry), "is_deep": False}
    return {
        "slippage": _money(slippage.cost),
        "expected_price": _money(slippage.price),
        "is_deep": slippage.is_whole,
    }


def _r(plan: Plan) -> list[str]:
    """R of each target, in their order."""
    if plan.entry is None or plan.wanted.stop is None:
        return []
    return [
        plain(sizing.r_of(target, plan.entry, plan.wanted.stop)) for target in plan.wanted.targets
    ]


def _moment(user: User, plan: Plan) -> dict[str, Any]:
    """The flow of the moment, and one's own record in such ones; null where nobody tells the
    flow."""
    wanted, moment = plan.wanted, plan.moment
    if moment is None or wanted.reduces:
        return {"flow": None, "record": None}
    flow = moment.as_json(is_buy=wanted.is_buy)
    record = record_of(user, is_buy=wanted.is_buy, verdict=flow["verdict"], setup=wanted.setup)
    return {"flow": flow, "record": record}


def _futures(
    account: ExchangeAccount, plan: Plan, answer: dict[str, Any], warnings: list[dict[str, Any]]
) -> None:
    if plan.notional is None or plan.quantity is None or plan.entry is None:
        return
    leverage = pricing.leverage_of(account, plan.wanted.symbol)
    margin = sizing.margin(plan.notional, leverage)
    price = sizing.liquidation(
        plan.entry, plan.quantity, margin, pricing.MAINTENANCE, is_buy=plan.wanted.is_buy
    )
    answer["margin"] = _money(margin)
    answer["leverage"] = leverage
    answer["liquidation"] = None if price is None else _near(price, plan)
    stop = plan.wanted.stop
    if price is None or stop is None:
        return
    beyond = sizing.distance(stop, price, is_buy=plan.wanted.is_buy)
    answer["liquidation_beyond_stop"] = _near(beyond, plan)
    if beyond <= 0:
        _warn(
            warnings,
            "liquidation",
            _(
                "With isolated margin this position would be liquidated before its stop: lower the "
                "leverage or the size."
            ),
        )
    available = pricing.equity_of(account, "usdm", plan.listing.quote_asset)
    if margin > available:
        _warn(
            warnings,
            "margin",
            _(
                "The margin of %(margin)s is more than the wallet's %(available)s.",
                margin=_money(margin),
                available=plain(available),
            ),
        )


def _guards(
    user: User, account: ExchangeAccount, plan: Plan, warnings: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Switch, cap and the rules that block are problems; rules that warn are warnings."""
    problems: list[dict[str, Any]] = []
    try:
        switch = guarding.need_switch(account, plan.wanted.market)
    except TradingError as error:
        problems.append(error.as_json())
    else:
        if (over := guarding.over_cap(switch, plan)) is not None:
            problems.append(over.as_json())
    for judgement in guarding.broken_rules(user, plan):
        row = {"code": f"rule_{judgement.rule}", "detail": str(judgement.detail)}
        (problems if judgement.mode == "block" else warnings).append(row)
    return problems


def _warn(warnings: list[dict[str, Any]], code: str, detail: str) -> None:
    warnings.append({"code": code, "detail": str(detail)})


def _near(price: Decimal, plan: Plan) -> str:
    tick = Decimal(plan.listing.tick_size) or CENT
    return plain((price / tick).to_integral_value() * tick)


def _money(value: Decimal) -> str:
    return plain(value.quantize(CENT))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
