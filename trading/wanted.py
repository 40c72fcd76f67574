"""What an order's body asks for, read strictly: unknown fields and odd numbers are told."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from trading.errors import BadOrder
from trading.fields import (
    account_of,
    amount_of,
    flag_of,
    missing,
    missing_of,
    object_of,
    one_of,
    symbol_of,
    targets_of,
    whole_of,
    words_of,
)
from trading.sentences import told as _

SPOT_TYPES = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
    "OCO",
)
USDM_TYPES = (
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
)
TYPES = {"spot": SPOT_TYPES, "usdm": USDM_TYPES}
IN_FORCE = {"spot": ("GTC", "IOC", "FOK"), "usdm": ("GTC", "IOC", "FOK", "GTX", "GTD")}
PRICED = {"LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT", "OCO", "STOP"}
# Futures' TAKE_PROFIT is a limit order behind a trigger, spot's a market order.
TRIGGERED = {
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
    "OCO",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT_MARKET",
}
ALGO = {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"}
FIELDS = {
    "account",
    "market",
    "symbol",
    "side",
    "type",
    "price",
    "stop_price",
    "quantity",
    "quote_quantity",
    "risk",
    "reduce_only",
    "position_side",
    "time_in_force",
    "targets",
    "plan",
    "close_position",
    "callback_rate",
    "activate_price",
    "good_till",
    "working_type",
    "override",
}


@dataclass(frozen=True)
class Wanted:
    """`stop` is the protective stop of an entry; `stop_price` the order's own trigger."""

    account: UUID
    market: str
    symbol: str
    side: str
    type: str
    price: Decimal | None = None
    stop_price: Decimal | None = None
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    stop: Decimal | None = None
    risk_money: Decimal | None = None
    risk_percent: Decimal | None = None
    is_reduce_only: bool = False
    closes_position: bool = False
    position_side: str = "BOTH"
    time_in_force: str = "GTC"
    targets: tuple[Decimal, ...] = ()
    setup: str = ""
    note: str = ""
    callback_rate: Decimal | None = None
    activate_price: Decimal | None = None
    good_till: int | None = None
    working_type: str = "CONTRACT_PRICE"
    # words by which the owner goes round a rule that blocks
    override: str = ""
    body: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def is_buy(self) -> bool:
        return self.side == "BUY"

    @property
    def is_algo(self) -> bool:
        return self.market == "usdm" and self.type in ALGO

    @property
    def is_priced(self) -> bool:
        return self.type in PRICED or (self.market == "usdm" and self.type == "TAKE_PROFIT")

    @property
    def reduces(self) -> bool:
        """It can only make a position smaller: on spot a sale, in hedge mode by its side."""
        if self.is_reduce_only or self.closes_position:
            return True
        if self.position_side != "BOTH":
            return self.is_buy == (self.position_side == "SHORT")
        return self.market == "spot" and not self.is_buy


def read(body: Any) -> Wanted:
    """Raises BadOrder with what was expected."""
    if not isinstance(body, dict):
        raise BadOrder("body", _("Expected a JSON object."))
    unknown = sorted(set(body) - FIELDS)
    if unknown:
        raise BadOrder(
            "body",
            _(
                "Expected fields of %(known)s; was %(was)s.",
                known=", ".join(sorted(FIELDS)),
                was=", ".join(unknown)[:100],
            ),
            field=unknown[0],
        )
    market = one_of(body, "market", ("spot", "usdm"))
    kind = one_of(body, "type", TYPES[market])
    risk = object_of(body, "risk", {"stop", "money", "percent"})
    plan = object_of(body, "plan", {"setup", "note"})
    wanted = Wanted(
        account=account_of(body),
        market=market,
        symbol=symbol_of(body),
        side=one_of(body, "side", ("BUY", "SELL")),
        type=kind,
        price=amount_of(body, "price"),
        stop_price=amount_of(body, "stop_price"),
        quantity=amount_of(body, "quantity"),
        quote_quantity=amount_of(body, "quote_quantity"),
        stop=amount_of(risk, "stop", "risk.stop"),
        risk_money=amount_of(risk, "money", "risk.money"),
        risk_percent=amount_of(risk, "percent", "risk.percent"),
        is_reduce_only=flag_of(body, "reduce_only"),
        closes_position=flag_of(body, "close_position"),
        position_side=one_of(body, "position_side", ("BOTH", "LONG", "SHORT"), "BOTH"),
        time_in_force=one_of(body, "time_in_force", IN_FORCE[market], "GTC"),
        targets=targets_of(body),
        setup=words_of(plan, "setup", 60),
        note=words_of(plan, "note", 2000),
        callback_rate=amount_of(body, "callback_rate"),
        activate_price=amount_of(body, "activate_price"),
        good_till=whole_of(body, "good_till"),
        working_type=one_of(
            body, "working_type", ("CONTRACT_PRICE", "MARK_PRICE"), "CONTRACT_PRICE"
        ),
        override=words_of(body, "override", 300),
        body=dict(body),
    )
    _check_together(wanted)
    return wanted


def canonical(body: Any) -> str:
    """One text for one body, whatever the order of its fields."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _check_together(wanted: Wanted) -> None:
    is_spot = wanted.market == "spot"
    if wanted.is_priced != (wanted.price is not None):
        if wanted.price is None:
            raise missing_of("price", wanted.type)
        raise BadOrder(
            "price", _("Expected no price for %(type)s.", type=wanted.type), field="price"
        )
    if wanted.type in TRIGGERED and wanted.stop_price is None:
        raise missing_of("stop_price", wanted.type)
    if wanted.type not in TRIGGERED and wanted.stop_price is not None:
        raise BadOrder(
            "stop_price",
            _(
                "Expected no stop_price for %(type)s: the stop that protects an entry is "
                "risk.stop.",
                type=wanted.type,
            ),
            field="stop_price",
        )
    sizes = [wanted.quantity, wanted.quote_quantity, wanted.risk_money, wanted.risk_percent]
    given = sum(size is not None for size in sizes)
    if given != (0 if wanted.closes_position else 1):
        raise BadOrder(
            "size",
            _(
                "Expected one of quantity, quote_quantity, risk with money or percent; were "
                "%(given)s.",
                given=given,
            ),
            field="quantity",
        )
    if wanted.quote_quantity is not None and (not is_spot or wanted.type != "MARKET"):
        raise BadOrder(
            "quote_quantity",
            _("Expected quote_quantity only for a MARKET order on spot."),
            field="quote_quantity",
        )
    by_risk = wanted.risk_money is not None or wanted.risk_percent is not None
    if by_risk and wanted.stop is None:
        raise missing("risk.stop", _("Expected risk.stop where the size comes from the risk."))
    if wanted.risk_percent is not None and wanted.risk_percent > 100:
        raise BadOrder("risk", _("Expected a risk of at most 100 percent."), field="risk.percent")
    if is_spot and (
        wanted.is_reduce_only or wanted.closes_position or wanted.position_side != "BOTH"
    ):
        raise BadOrder(
            "market",
            _("Expected no reduce_only, close_position or position_side on spot."),
            field="reduce_only",
        )
    if wanted.closes_position and wanted.type not in {"STOP_MARKET", "TAKE_PROFIT_MARKET"}:
        raise BadOrder(
            "close_position",
            _("Expected close_position only with STOP_MARKET and TAKE_PROFIT_MARKET."),
            field="close_position",
        )
    if wanted.is_reduce_only and wanted.position_side != "BOTH":
        raise BadOrder(
            "reduce_only",
            _(
                "Expected no reduce_only in hedge mode: there position_side says which position an "
                "order closes."
            ),
            field="reduce_only",
        )
    if wanted.type == "TRAILING_STOP_MARKET" and wanted.callback_rate is None:
        raise missing_of("callback_rate", wanted.type)
    if wanted.callback_rate is not None and not Decimal("0.1") <= wanted.callback_rate <= 20:
        raise BadOrder(
            "callback_rate",
            _("Expected a callback_rate of 0.1 to 20 percent."),
            field="callback_rate",
        )
    if wanted.time_in_force == "GTD" and wanted.good_till is None:
        raise missing("good_till", _("Expected good_till for GTD, epoch ms."))
    if wanted.reduces and (wanted.stop is not None or wanted.targets) and not is_spot:
        raise BadOrder(
            "risk",
            _("Expected no stop and no targets for an order that only reduces a position."),
            field="risk.stop",
        )
    if wanted.is_algo and (wanted.stop is not None or wanted.targets):
        raise BadOrder(
            "risk",
            _(
                "Expected no stop and no targets with %(type)s: an entry of LIMIT or MARKET takes "
                "them.",
                type=wanted.type,
            ),
            field="risk.stop",
        )
    if is_spot and len(wanted.targets) > 1:
        raise BadOrder(
            "targets",
            _(
                "Expected one target on spot: an order list holds one stop and one target, were "
                "%(given)s.",
                given=len(wanted.targets),
            ),
            field="targets",
        )
    if is_spot and wanted.targets and wanted.stop is None:
        raise missing("risk.stop", _("Expected risk.stop beside a target on spot."))
    if (
        is_spot
        and wanted.type not in {"LIMIT", "LIMIT_MAKER", "MARKET"}
        and (wanted.stop is not None or wanted.targets)
    ):
        raise BadOrder(
            "risk",
            _("Expected no stop and no targets with %(type)s.", type=wanted.type),
            field="risk.stop",
        )
