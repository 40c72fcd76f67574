"""A symbol's filters as pure Decimal rules: what the exchange would refuse, said before it leaves,
with the filter, the value and the nearest valid one. Source: filters.md of binance-spot-api-docs
(2026-07), and the filters of USD-M's exchangeInfo. A fault is told in the reader's language.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any, Literal

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from lib.decimals import plain

ZERO = Decimal(0)
Bound = Literal["least", "most", "step", "worth", "worth_of"]
EXPECTED: dict[Bound, str] = {
    "least": _("%(filter)s: expected %(field)s of at least %(limit)s, was %(value)s"),
    "most": _("%(filter)s: expected %(field)s of at most %(limit)s, was %(value)s"),
    "step": _("%(filter)s: expected %(field)s in steps of %(limit)s, was %(value)s"),
    "worth": _("%(filter)s: expected %(field)s worth at least %(limit)s, was %(value)s"),
    "worth_of": _(
        "%(filter)s: expected %(field)s worth at least %(limit)s (%(worth)s is not), was %(value)s"
    ),
}
NEAREST = _("%(fault)s; nearest is %(nearest)s")


@dataclass(frozen=True)
class Fault:
    """`nearest` is a value of the same field that the filter lets through; None: there is none."""

    filter: str
    field: str
    value: Decimal
    nearest: Decimal | None
    bound: Bound
    limit: Decimal
    # what it comes to in the quote, where that is too little
    worth: Decimal = ZERO

    def __str__(self) -> str:
        fault = gettext(EXPECTED[self.bound]) % {
            "filter": self.filter,
            "field": self.field,
            "limit": plain(self.limit),
            "value": plain(self.value),
            "worth": plain(self.worth),
        }
        if self.nearest is None:
            return fault
        return gettext(NEAREST) % {"fault": fault, "nearest": plain(self.nearest)}


@dataclass(frozen=True)
class Draft:
    """What of an order the filters look at; `price` None: at the market, `value` is the quote that
    a market order may spend. `around` is the price that the exchange measures by (reference price,
    average or mark), None: not known."""

    side: str
    quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None
    value: Decimal | None = None
    around: Decimal | None = None
    is_reduce_only: bool = False

    @property
    def is_market(self) -> bool:
        return self.price is None


def faults(filters: Iterable[Mapping[str, Any]], draft: Draft) -> list[Fault]:
    """Every filter that this order fails. One that nobody knows is left to the exchange."""
    by_name = {str(row.get("filterType", "")): row for row in filters}
    faults_of: list[Fault] = []
    if (row := by_name.get("PRICE_FILTER")) is not None:
        for name, price in (("price", draft.price), ("stop_price", draft.stop_price)):
            if price is not None:
                faults_of += _price(row, name, price)
    if draft.quantity is not None:
        faults_of += _lots(by_name, draft.quantity, is_market=draft.is_market)
    faults_of += _distance(by_name, draft)
    faults_of += _notional(by_name, draft)
    return faults_of


def step_of(filters: Iterable[Mapping[str, Any]], *, is_market: bool = False) -> Decimal:
    """The step of quantities; 0: any."""
    by_name = {str(row.get("filterType", "")): row for row in filters}
    names = ("MARKET_LOT_SIZE", "LOT_SIZE") if is_market else ("LOT_SIZE",)
    steps = [_number(by_name[name], "stepSize") for name in names if name in by_name]
    return max(steps, default=ZERO)


def tick_of(filters: Iterable[Mapping[str, Any]]) -> Decimal:
    for row in filters:
        if row.get("filterType") == "PRICE_FILTER":
            return _number(row, "tickSize")
    return ZERO


def round_down(value: Decimal, step: Decimal) -> Decimal:
    """To a multiple of `step`; 0: as it is."""
    return value if not step else (value / step).to_integral_value(ROUND_FLOOR) * step


def round_near(value: Decimal, step: Decimal) -> Decimal:
    return value if not step else (value / step).to_integral_value(ROUND_HALF_UP) * step


def _price(row: Mapping[str, Any], field: str, price: Decimal) -> list[Fault]:
    least, most = _number(row, "minPrice"), _number(row, "maxPrice")
    tick = _number(row, "tickSize")
    if price <= 0 or (least and price < least):
        return [Fault("PRICE_FILTER", field, price, least or tick, "least", least)]
    if most and price > most:
        return [Fault("PRICE_FILTER", field, price, most, "most", most)]
    if tick and (price - least) % tick:
        nearest = least + round_near(price - least, tick)
        return [Fault("PRICE_FILTER", field, price, nearest, "step", tick)]
    return []


def _lots(
    by_name: Mapping[str, Mapping[str, Any]], quantity: Decimal, *, is_market: bool
) -> list[Fault]:
    names: Sequence[str] = ("LOT_SIZE", "MARKET_LOT_SIZE") if is_market else ("LOT_SIZE",)
    faults: list[Fault] = []
    for name in names:
        row = by_name.get(name)
        if row is None:
            continue
        least, most = _number(row, "minQty"), _number(row, "maxQty")
        step = _number(row, "stepSize")
        fault: tuple[Decimal | None, Bound, Decimal] | None = None
        if quantity <= 0 or quantity < least:
            fault = (least or step or None), "least", least
        elif most and quantity > most:
            fault = most, "most", most
        elif step and (quantity - least) % step:
            # never more than was asked for
            fault = least + round_down(quantity - least, step), "step", step
        if fault is not None:
            faults.append(Fault(name, "quantity", quantity, *fault))
    return faults[:1]


def _distance(by_name: Mapping[str, Mapping[str, Any]], draft: Draft) -> list[Fault]:
    if draft.price is None or not draft.around:
        return []
    for name in ("PERCENT_PRICE_BY_SIDE", "PERCENT_PRICE"):
        row = by_name.get(name)
        if row is None:
            continue
        head = "" if name == "PERCENT_PRICE" else "bid" if draft.side == "BUY" else "ask"
        up, down = (
            (f"{head}MultiplierUp", f"{head}MultiplierDown")
            if head
            else ("multiplierUp", "multiplierDown")
        )
        most, least = draft.around * _number(row, up), draft.around * _number(row, down)
        tick = tick_of(by_name.values())
        if most and draft.price > most:
            nearest = round_down(most, tick)
            return [Fault(name, "price", draft.price, nearest, "most", nearest)]
        if draft.price < least:
            nearest = _round_up(least, tick)
            return [Fault(name, "price", draft.price, nearest, "least", nearest)]
    return []


def _notional(by_name: Mapping[str, Mapping[str, Any]], draft: Draft) -> list[Fault]:
    for name in ("NOTIONAL", "MIN_NOTIONAL"):
        row = by_name.get(name)
        if row is None or draft.is_reduce_only:
            continue
        if draft.is_market and not row.get("applyMinToMarket", row.get("applyToMarket", True)):
            continue
        price = draft.price if draft.price is not None else draft.around
        value = draft.value
        if value is None and draft.quantity is not None and price is not None:
            value = draft.quantity * price
        if value is None:
            continue
        least = _number(row, "minNotional") or _number(row, "notional")
        if value < least:
            return [_too_small(name, by_name, draft, value, least, price)]
        most = _number(row, "maxNotional")
        applies = not draft.is_market or row.get("applyMaxToMarket", False)
        if most and applies and value > most:
            return [Fault(name, "notional", value, most, "most", most)]
    return []


def _too_small(
    name: str,
    by_name: Mapping[str, Mapping[str, Any]],
    draft: Draft,
    value: Decimal,
    least: Decimal,
    price: Decimal | None,
) -> Fault:
    """The nearest valid value is told as the field that was given."""
    if draft.quantity is None or not price:
        return Fault(name, "quote_quantity", value, least, "worth", least)
    step = step_of(by_name.values(), is_market=draft.is_market)
    nearest = _round_up(least / price, step)
    return Fault(name, "quantity", draft.quantity, nearest, "worth_of", least, value)


def _round_up(value: Decimal, step: Decimal) -> Decimal:
    return value if not step else (value / step).to_integral_value(ROUND_CEILING) * step


def _number(row: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(str(row.get(name) or 0))
