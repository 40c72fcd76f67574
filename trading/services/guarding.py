"""What speaks against an order although the exchange would take it: the switch, its caps, and the
rules about oneself."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.models import ConditionalOrder, Order
from lib.decimals import plain
from trading import events
from trading.errors import Forbidden
from trading.limits import Day, Entry, Judgement, judge
from trading.models import OrderIntent, Rule, RuleBreak, TradingSwitch
from trading.selectors.today import day_so_far
from trading.selectors.trades import OPEN
from trading.services import switching
from trading.services.planning import Plan

State = OrderIntent.State


def need_switch(account: ExchangeAccount, market: str) -> TradingSwitch:
    """Raises Forbidden: trading_off, key_may_not_trade."""
    switching.need_trading_key(account, market)
    switch = TradingSwitch.objects.on(timezone.now()).filter(account=account).first()
    if switch is None:
        raise Forbidden(
            "trading_off",
            "Trading is off for this account. Its owner switches it on "
            "for a time, on the page of the account.",
        )
    return switch


def over_cap(switch: TradingSwitch, plan: Plan, day: Day | None = None) -> Forbidden | None:
    """The first cap that the order would break. What only reduces a position is held by the list
    of symbols and the distance alone."""
    if (over := _over_standing(switch, plan)) is not None or plan.wanted.reduces:
        return over
    return over_day_loss(switch, day)


def need_place(account: ExchangeAccount, plan: Plan) -> None:
    """The switch and its caps once more, as they stand when the order is written: the row is held,
    so that two orders at once do not both take the last place, and caps that were narrowed
    meanwhile hold. Raises Forbidden."""
    TradingSwitch.objects.select_for_update().get(account=account)
    switch = need_switch(account, plan.wanted.market)
    over = _over_standing(switch, plan)
    if over is not None:
        raise over


def _over_standing(switch: TradingSwitch, plan: Plan) -> Forbidden | None:
    """What does not ask for the day's trades."""
    wanted = plan.wanted
    if (over := over_symbols(switch, wanted.symbol)) is not None:
        return over
    far = too_far(switch, plan.prices.mark, (wanted.price, wanted.stop_price))
    if far is not None:
        return far
    if wanted.market == "usdm" and wanted.reduces:
        return None
    if (over := over_order_cap(switch, plan.notional)) is not None:
        return over
    if (over := _over_orders(switch)) is not None:
        return over
    return None if wanted.reduces else over_risk_cap(switch, plan.risk)


def over_symbols(switch: TradingSwitch, symbol: str) -> Forbidden | None:
    symbols = switch.caps.get("symbols")
    if symbols is None or symbol in symbols:
        return None
    return Forbidden(
        "symbol_not_allowed",
        f"{symbol} is not among the symbols of this switch: {', '.join(symbols)}.",
    )


def over_risk_cap(switch: TradingSwitch, risk: Decimal | None) -> Forbidden | None:
    most = switch.money("risk")
    if most is None or (risk is not None and risk <= most):
        return None
    return Forbidden(
        "cap_risk", f"This trade risks {_told(risk)}, the largest allowed is {plain(most)}."
    )


def over_day_loss(switch: TradingSwitch, day: Day | None = None) -> Forbidden | None:
    most = switch.money("day_loss")
    if most is None:
        return None
    day = day or day_so_far(switch.account.user, switch.account.pk)
    if -day.net < most:
        return None
    return Forbidden(
        "cap_day_loss",
        f"Today's loss is {plain(-day.net)}, from {plain(most)} on no entry is taken.",
    )


def _over_orders(switch: TradingSwitch) -> Forbidden | None:
    most = switch.money("orders")
    if most is None or (count := open_orders(switch.account)) < most:
        return None
    return Forbidden("cap_orders", f"{count} orders are open, at most {plain(most)} may be.")


def open_orders(account: ExchangeAccount) -> int:
    """As the journal knows them, conditional ones too, and those of ours that it has not heard of
    yet."""
    known = {
        name
        for model in (Order, ConditionalOrder)
        for name in model.objects.filter(account=account, status__in=OPEN).values_list(
            "client_id", flat=True
        )
    }
    ours = OrderIntent.objects.filter(
        account=account,
        state__in=[
            State.WRITTEN,
            State.SENT,
            State.UNKNOWN,
            State.ACCEPTED,
        ],
    )
    under_way = set(ours.exclude(state=State.ACCEPTED).values_list("client_id", flat=True)) | set(
        ours.filter(state=State.ACCEPTED, order__status__in=OPEN).values_list(
            "client_id", flat=True
        )
    )
    ended = {
        name
        for model in (Order, ConditionalOrder)
        for name in model.objects.filter(account=account, client_id__in=under_way)
        .exclude(status__in=OPEN)
        .values_list("client_id", flat=True)
    }
    return len(known | (under_way - ended))


def broken_rules(user: User, plan: Plan, day: Day | None = None) -> list[Judgement]:
    """Of an entry; what only reduces breaks none."""
    if plan.wanted.reduces:
        return []
    rules = list(Rule.objects.filter(user=user))
    if not rules:
        return []
    day = day or day_so_far(user)
    entry = Entry(plan.notional, plan.wanted.stop is not None, plan.wanted.setup)
    return [
        Judgement(rule.name, detail, rule.mode, rule.value)
        for rule in rules
        if (detail := judge(rule.name, rule.value, day, entry)) is not None
    ]


def need_rules(judgements: list[Judgement], override: str) -> None:
    """Raises Forbidden for a rule that blocks, unless its owner wrote down why it shall not."""
    for judgement in judgements:
        if judgement.mode == Rule.Mode.BLOCK and not override:
            raise Forbidden(
                f"rule_{judgement.rule}",
                f"{judgement.detail} Your rule blocks this order; say in override why it shall be "
                "placed all the same.",
            )


def keep_breaks(user: User, intent: OrderIntent, judgements: list[Judgement], reason: str) -> None:
    RuleBreak.objects.bulk_create(
        RuleBreak(
            user=user,
            rule=judgement.rule,
            mode=judgement.mode,
            value=judgement.value,
            detail=judgement.detail[:300],
            reason=reason,
            intent=intent,
        )
        for judgement in judgements
    )
    for judgement in judgements:
        events.tell(
            events.TradingEvent(
                "rule",
                user.pk,
                str(intent.account_id),
                f"rule:{judgement.rule}:{intent.pk}",
                f"{intent.symbol}: {judgement.detail}",
                {"rule": judgement.rule, "mode": judgement.mode, "intent": str(intent.pk)},
            )
        )


def too_far(
    switch: TradingSwitch, mark: Decimal | None, prices: Iterable[Decimal | None]
) -> Forbidden | None:
    most = switch.money("distance")
    if most is None:
        return None
    for price in prices:
        if price is None:
            continue
        if not mark:
            return Forbidden(
                "price_far",
                "Nobody tells the mark price just now, so the distance "
                "of this order's price cannot be checked.",
            )
        percent = abs(price - mark) / mark * 100
        if percent > most:
            return Forbidden(
                "price_far",
                f"{plain(price)} is {percent:.2f} % from the mark of "
                f"{plain(mark)}, at most {plain(most)} % is allowed.",
            )
    return None


def over_order_cap(switch: TradingSwitch, notional: Decimal | None) -> Forbidden | None:
    most = switch.money("order")
    if most is None or (notional is not None and notional <= most):
        return None
    return Forbidden(
        "cap_order", f"This order is worth {_told(notional)}, the largest allowed is {plain(most)}."
    )


def _told(value: Decimal | None) -> Any:
    return "an unknown amount" if value is None else plain(value)
