"""What speaks against an order although the exchange would take it: the switch, its caps, and the
rules about oneself. A break of them is kept and told in English."""

from collections.abc import Iterable
from decimal import Decimal

from django.utils import timezone, translation

from accounts.models import ExchangeAccount, User
from journal.models import ConditionalOrder, Order
from lib.decimals import plain
from trading import events
from trading.errors import Forbidden
from trading.limits import Day, Entry, Judgement, judge
from trading.models import OrderIntent, Rule, RuleBreak, TradingSwitch
from trading.selectors.today import day_so_far
from trading.selectors.trades import OPEN
from trading.sentences import told as _
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
            _(
                "Trading is off for this account. Its owner switches it on for a time, on the page "
                "of the account."
            ),
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
        _(
            "%(symbol)s is not among the symbols of this switch: %(symbols)s.",
            symbol=symbol,
            symbols=", ".join(symbols),
        ),
    )


def over_risk_cap(switch: TradingSwitch, risk: Decimal | None) -> Forbidden | None:
    most = switch.money("risk")
    if most is None or (risk is not None and risk <= most):
        return None
    return Forbidden(
        "cap_risk",
        _(
            "This trade risks %(risk)s, the largest allowed is %(most)s.",
            risk=_amount(risk),
            most=plain(most),
        ),
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
        _(
            "Today's loss is %(loss)s, from %(most)s on no entry is taken.",
            loss=plain(-day.net),
            most=plain(most),
        ),
    )


def _over_orders(switch: TradingSwitch) -> Forbidden | None:
    most = switch.money("orders")
    if most is None or (count := open_orders(switch.account)) < most:
        return None
    return Forbidden(
        "cap_orders",
        _("%(count)s orders are open, at most %(most)s may be.", count=count, most=plain(most)),
    )


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
                _(
                    "%(detail)s Your rule blocks this order; say in override why it shall be "
                    "placed all the same.",
                    detail=judgement.detail,
                ),
            )


def keep_breaks(user: User, intent: OrderIntent, judgements: list[Judgement], reason: str) -> None:
    with translation.override("en"):
        told = [(judgement, str(judgement.detail)) for judgement in judgements]
    RuleBreak.objects.bulk_create(
        RuleBreak(
            user=user,
            rule=judgement.rule,
            mode=judgement.mode,
            value=judgement.value,
            detail=detail[:300],
            reason=reason,
            intent=intent,
        )
        for judgement, detail in told
    )
    for judgement, detail in told:
        events.tell(
            events.TradingEvent(
                "rule",
                user.pk,
                str(intent.account_id),
                f"rule:{judgement.rule}:{intent.pk}",
                f"{intent.symbol}: {detail}",
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
                _(
                    "Nobody tells the mark price just now, so the distance of this order's price "
                    "cannot be checked."
                ),
            )
        percent = abs(price - mark) / mark * 100
        if percent > most:
            return Forbidden(
                "price_far",
                _(
                    "%(price)s is %(percent)s %% from the mark of %(mark)s, at most %(most)s %% is "
                    "allowed.",
                    price=plain(price),
                    percent=f"{percent:.2f}",
                    mark=plain(mark),
                    most=plain(most),
                ),
            )
    return None


def over_order_cap(switch: TradingSwitch, notional: Decimal | None) -> Forbidden | None:
    most = switch.money("order")
    if most is None or (notional is not None and notional <= most):
        return None
    return Forbidden(
        "cap_order",
        _(
            "This order is worth %(worth)s, the largest allowed is %(most)s.",
            worth=_amount(notional),
            most=plain(most),
        ),
    )


def _amount(value: Decimal | None) -> str:
    return _("an unknown amount") if value is None else plain(value)
