"""The kinds of condition and their fields: one table for the API, the pages and the evaluators."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from alerts.conditions.fields import (
    BadCondition,
    Field,
    account,
    choice,
    gettext_noop,
    number,
    percent,
    positive,
    quantile,
    row,
    seconds,
    shown,
    small_percent,
    symbol,
    whole,
    word,
)


class Scope(StrEnum):
    """Where it is looked at: in a market's bars, in what is shown beside them, in what happened to
    an account, in an account's newest figures, or in the state of this installation."""

    BARS = "bars"
    BOARD = "board"
    FACTS = "facts"
    FIGURES = "figures"
    SYSTEM = "system"


@dataclass(frozen=True)
class Kind:
    name: str
    scope: Scope
    fields: tuple[Field, ...]
    # only on the USD-M market
    is_of_futures: bool = False

    @property
    def is_of_market(self) -> bool:
        return self.scope in {Scope.BARS, Scope.BOARD}

    @property
    def needs_either(self) -> tuple[str, ...]:
        """Fields of which exactly one has to be given."""
        return tuple(item.name for item in self.fields if item.is_either)


WINDOW = Field("window_s", seconds(1))
CHANGE = Field("window_s", seconds(60), is_required=False)
EITHER = (
    Field("above", number, is_required=False, is_either=True),
    Field("below", number, is_required=False, is_either=True),
)
UNIT = Field("unit", choice("trade", "order"), is_required=False, default="trade")
BAND = Field("band", word(12), is_required=False)
PERCENT = Field("percent", percent)
ACCOUNT = Field("account", account, is_required=False)
STATE = Field("state", word(24), is_required=False)
MONEY = Field("unit", choice("money", "percent", "r"), is_required=False, default="money")
DISTANCE = Field("unit", choice("percent", "money"), is_required=False, default="percent")
MARKET = (Field("market", choice("spot", "usdm")), Field("symbol", symbol))
# How far the value goes back before the alert is armed again, in percent of the threshold.
HYSTERESIS = Field("hysteresis_pct", small_percent, is_required=False)
SYSTEM_STATES = (
    "feed_silent",
    "gap_open",
    "sync_stands",
    "key_refused",
    "disk",
    "backup_old",
    "clock",
    "queue",
    "weight",
)

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "price_crosses",
            Scope.BARS,
            (
                Field("level", positive),
                Field("direction", choice("up", "down", "both"), is_required=False, default="both"),
            ),
        ),
        Kind("price_moves", Scope.BARS, (WINDOW, PERCENT)),
        Kind("cvd_delta", Scope.BARS, (WINDOW, *EITHER, UNIT, BAND)),
        Kind(
            "cvd_quantile",
            Scope.BARS,
            (Field("window_s", seconds(60)), Field("quantile", quantile), UNIT, BAND),
        ),
        Kind("divergence", Scope.BARS, (WINDOW, PERCENT)),
        Kind(
            "taker_order",
            Scope.BARS,
            (
                Field("value", positive),
                Field("side", choice("BUY", "SELL"), is_required=False),
            ),
        ),
        Kind("setup", Scope.BARS, (Field("setup", row),)),
        Kind("spread", Scope.BARS, (*EITHER, CHANGE)),
        Kind("funding", Scope.BOARD, (*EITHER, CHANGE), is_of_futures=True),
        Kind("open_interest", Scope.BOARD, (*EITHER, CHANGE), is_of_futures=True),
        Kind(
            "liquidations",
            Scope.BOARD,
            (*EITHER, Field("window_s", seconds(1), is_required=False, default=60)),
            is_of_futures=True,
        ),
        Kind("fill", Scope.FACTS, (ACCOUNT, STATE)),
        Kind("order", Scope.FACTS, (ACCOUNT, STATE)),
        Kind("trade_closed", Scope.FACTS, (ACCOUNT, STATE)),
        Kind("rule", Scope.FACTS, (Field("rule", word(40), is_required=False),)),
        Kind("account", Scope.FACTS, (ACCOUNT, STATE)),
        Kind(
            "losing_streak",
            Scope.FACTS,
            (ACCOUNT, Field("losses", whole(2, 50), is_required=False, default=3)),
        ),
        Kind("size_after_loss", Scope.FACTS, (ACCOUNT,)),
        Kind("pnl_day", Scope.FIGURES, (ACCOUNT, *EITHER, MONEY)),
        Kind("pnl_open", Scope.FIGURES, (ACCOUNT, *EITHER, MONEY)),
        Kind("liquidation_distance", Scope.FIGURES, (ACCOUNT, *EITHER, DISTANCE)),
        Kind(
            "system",
            Scope.SYSTEM,
            (Field("state", choice(*SYSTEM_STATES), is_required=False),),
        ),
    )
}
# Facts are told each for itself; a market's alert is quiet for a while after it fired.
DEFAULT_COOLDOWN_S = 300


def default_cooldown_s(kind: str) -> int:
    return 0 if KINDS[kind].scope == Scope.FACTS else DEFAULT_COOLDOWN_S


def fields_of(kind: Kind) -> tuple[Field, ...]:
    """All of a kind's fields, its market's in front."""
    market = MARKET if kind.is_of_market else ()
    hysteresis = () if kind.scope == Scope.FACTS else (HYSTERESIS,)
    return (*market, *kind.fields, *hysteresis)


def parse(raw: Any) -> dict[str, Any]:
    """A condition as it is kept: known fields only, numbers as exact text. Raises BadCondition,
    which names the field."""
    if not isinstance(raw, Mapping):
        raise BadCondition(
            "condition",
            gettext_noop('Expected an object such as {"kind": "price_crosses", …}, was %(value)s.'),
            value=shown(raw),
        )
    name = raw.get("kind")
    if not isinstance(name, str) or name not in KINDS:
        raise BadCondition(
            "kind",
            gettext_noop("Expected one of %(allowed)s, was %(value)s."),
            allowed=", ".join(KINDS),
            value=shown(name),
        )
    kind = KINDS[name]
    known = fields_of(kind)
    for key in raw:
        if key != "kind" and key not in {item.name for item in known}:
            raise BadCondition(
                str(key)[:40],
                gettext_noop("%(kind)s has no such field; it has %(allowed)s."),
                kind=name,
                allowed=", ".join(item.name for item in known),
            )
    condition = {"kind": name}
    for item in known:
        given = raw.get(item.name)
        if given is None or given == "":
            if item.is_required:
                raise BadCondition(
                    item.name,
                    gettext_noop("%(kind)s needs the field %(field)s."),
                    kind=name,
                    field=item.name,
                )
            given = item.default
        if given is not None and given != "":
            condition[item.name] = item.read(item.name, given)
    _check_together(kind, condition)
    return condition


def _check_together(kind: Kind, condition: Mapping[str, Any]) -> None:
    either = kind.needs_either
    if either and sum(name in condition for name in either) != 1:
        raise BadCondition(
            either[0], gettext_noop("Expected exactly one of %(names)s."), names=" / ".join(either)
        )
    if kind.is_of_futures and condition["market"] != "usdm":
        raise BadCondition(
            "market",
            gettext_noop("%(kind)s is of futures: expected usdm, was %(value)s."),
            kind=kind.name,
            value=shown(condition["market"]),
        )
    is_of_trades = condition.get("unit") == "trade" and "band" in condition
    if kind.scope == Scope.BARS and is_of_trades and condition["market"] == "usdm":
        raise BadCondition(
            "unit",
            gettext_noop("Futures are told as aggregates: expected the unit order for a band."),
        )
