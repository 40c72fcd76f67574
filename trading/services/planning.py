"""From what is wanted to an order that can be sent: sized, checked against the symbol's filters,
with everything that its owner should know before."""

from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from accounts.models import ExchangeAccount
from lib.decimals import plain
from market.binance import filters
from market.models import Listing
from trading import sizing
from trading.errors import Away, BadOrder, TradingError
from trading.sentences import told as _
from trading.services import pricing
from trading.services.moments import Moment, moment_of
from trading.services.pricing import Prices
from trading.wanted import Wanted

ZERO = Decimal(0)


@dataclass(frozen=True)
class Plan:
    """`quantity` None: by quote or the whole position. Money in the symbol's quote."""

    wanted: Wanted
    listing: Listing
    prices: Prices
    entry: Decimal | None
    quantity: Decimal | None
    notional: Decimal | None
    # what is lost at the stop; without a stop all of it
    risk: Decimal | None
    rates: sizing.Rates
    step: Decimal
    moment: Moment | None = None
    problems: list[BadOrder] = field(default_factory=list)

    def frozen(self) -> dict[str, Any]:
        """What is kept with the intent and becomes the trade's plan."""
        wanted = self.wanted
        return {
            "entry": _text(self.entry),
            "stop": _text(wanted.stop),
            "targets": [plain(target) for target in wanted.targets],
            "quantity": _text(self.quantity),
            "notional": _text(self.notional),
            "risk": _text(self.risk),
            "setup": wanted.setup,
            "note": wanted.note,
            "flow": None if self.moment is None else self.moment.as_json(is_buy=wanted.is_buy),
            "step": plain(self.step),
            "fee": plain(self.rates.taker),
        }


def plan(account: ExchangeAccount, wanted: Wanted, *, is_preview: bool = False) -> Plan:
    """Raises BadOrder for what nothing can be computed of, Away before the exchange's list of
    symbols has come; what the exchange would refuse is in `problems`."""
    listing = pricing.listing_of(wanted.market, wanted.symbol)
    if listing is None:
        raise _not_listed(wanted)
    problems: list[BadOrder] = []
    if listing.status != "TRADING":
        problems.append(
            BadOrder(
                "symbol",
                _(
                    "%(symbol)s is not traded now: %(status)s.",
                    symbol=wanted.symbol,
                    status=listing.status,
                ),
                field="symbol",
            )
        )
    prices = pricing.prices_of(account, wanted.market, wanted.symbol)
    rates = pricing.rates_of(account, wanted.market, wanted.symbol, may_ask=is_preview)
    entry = _entry(wanted, prices)
    step = filters.step_of(listing.filters, is_market=wanted.type == "MARKET")
    problems += _sides(wanted, entry)
    quantity = _quantity(account, wanted, listing, entry, step)
    notional = wanted.quote_quantity
    if notional is None and quantity is not None and entry is not None:
        notional = quantity * entry
    problems += _filters(wanted, listing, prices, quantity)
    return Plan(
        wanted,
        listing,
        prices,
        entry,
        quantity,
        notional,
        _risk(wanted, entry, quantity, notional),
        rates,
        step,
        moment_of(wanted.market, wanted.symbol),
        problems,
    )


def _not_listed(wanted: Wanted) -> TradingError:
    if not pricing.is_list_known(wanted.market):
        return Away(_("The exchange's list of symbols has not come yet: try again in a moment."))
    return BadOrder(
        "symbol",
        _("Expected a symbol that the exchange lists, was %(symbol)s.", symbol=wanted.symbol),
        field="symbol",
    )


def first_problem(plan: Plan) -> BadOrder | None:
    return plan.problems[0] if plan.problems else None


def _entry(wanted: Wanted, prices: Prices) -> Decimal | None:
    if wanted.price is not None:
        return wanted.price
    if wanted.stop_price is not None:
        return wanted.stop_price
    return prices.taken(is_buy=wanted.is_buy)


def _sides(wanted: Wanted, entry: Decimal | None) -> list[BadOrder]:
    """A stop behind the entry, targets in front of it."""
    if entry is None or wanted.stop is None:
        return []
    if sizing.distance(entry, wanted.stop, is_buy=wanted.is_buy) <= 0:
        values = {"entry": plain(entry), "stop": plain(wanted.stop)}
        raise BadOrder(
            "risk",
            _("Expected a stop below the entry of %(entry)s, was %(stop)s.", **values)
            if wanted.is_buy
            else _("Expected a stop above the entry of %(entry)s, was %(stop)s.", **values),
            field="risk.stop",
        )
    return [
        BadOrder("targets", _beyond(wanted, entry, target), field="targets")
        for target in wanted.targets
        if sizing.distance(entry, target, is_buy=wanted.is_buy) >= 0
    ]


def _beyond(wanted: Wanted, entry: Decimal, target: Decimal) -> str:
    values = {"entry": plain(entry), "target": plain(target)}
    if wanted.is_buy:
        return _("Expected targets above the entry of %(entry)s, was %(target)s.", **values)
    return _("Expected targets below the entry of %(entry)s, was %(target)s.", **values)


def _quantity(
    account: ExchangeAccount,
    wanted: Wanted,
    listing: Listing,
    entry: Decimal | None,
    step: Decimal,
) -> Decimal | None:
    if wanted.quantity is not None:
        return wanted.quantity
    if wanted.quote_quantity is not None:
        # of an entry by value with a stop the size is as good as known
        return None if entry is None else filters.round_down(wanted.quote_quantity / entry, step)
    if wanted.closes_position:
        return None
    if entry is None:
        raise BadOrder(
            "price",
            _(
                "Nobody tells the price of %(symbol)s just now: give a quantity.",
                symbol=wanted.symbol,
            ),
            field="quantity",
        )
    money = wanted.risk_money
    if money is None:
        assert wanted.risk_percent is not None
        equity = pricing.equity_of(account, wanted.market, listing.quote_asset)
        if equity <= 0:
            raise BadOrder(
                "risk",
                _(
                    "Nothing is known in %(asset)s that a percentage could be of: give the risk as "
                    "money.",
                    asset=listing.quote_asset,
                ),
                field="risk.percent",
            )
        money = equity * wanted.risk_percent / 100
    assert wanted.stop is not None
    return sizing.quantity_for(money, entry, wanted.stop, step)


def _risk(
    wanted: Wanted, entry: Decimal | None, quantity: Decimal | None, notional: Decimal | None
) -> Decimal | None:
    if wanted.reduces:
        return ZERO
    if wanted.stop is None or entry is None or quantity is None:
        return notional
    return abs(entry - wanted.stop) * quantity


def _filters(
    wanted: Wanted, listing: Listing, prices: Prices, quantity: Decimal | None
) -> list[BadOrder]:
    by_value = wanted.quote_quantity is not None
    draft = filters.Draft(
        side=wanted.side,
        quantity=None if by_value else quantity,
        price=wanted.price,
        stop_price=wanted.stop_price,
        value=wanted.quote_quantity,
        around=prices.mark,
        is_reduce_only=wanted.reduces and wanted.market == "usdm",
    )
    faults = filters.faults(listing.filters, draft)
    for name, price in [("risk.stop", wanted.stop), *(("targets", t) for t in wanted.targets)]:
        if price is not None:
            own = filters.Draft(side=wanted.side, price=price)
            faults += [
                replace(f, field=name)
                for f in filters.faults(listing.filters, own)
                if f.filter == "PRICE_FILTER"
            ]
    return [as_problem(fault) for fault in faults]


def as_problem(fault: filters.Fault) -> BadOrder:
    return BadOrder(
        "filter",
        _("%(fault)s.", fault=fault),
        filter=fault.filter,
        field=fault.field,
        value=plain(fault.value),
        nearest=_text(fault.nearest),
    )


def need_fit(plan: Plan) -> None:
    """Raises the first problem."""
    problem = first_problem(plan)
    if problem is not None:
        raise problem


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
