"""The fields of a body, read one by one. Each raises BadOrder with what was expected."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from trading.errors import BadOrder
from trading.sentences import told as _
from trading.sentences import was

NUMBER = re.compile(r"\d{1,20}(\.\d{1,18})?", re.ASCII)
SYMBOL_LENGTH = 40
MOST_TARGETS = 5


def missing(name: str, detail: str) -> BadOrder:
    return BadOrder(name, detail, field=name)


def missing_of(name: str, kind: str) -> BadOrder:
    return missing(name, _("Expected %(name)s for %(type)s.", name=name, type=kind))


def account_of(body: Mapping[str, Any]) -> UUID:
    try:
        return UUID(str(body.get("account", "")))
    except ValueError as error:
        raise BadOrder(
            "account", _("Expected account, the id of an exchange account."), field="account"
        ) from error


def symbol_of(body: Mapping[str, Any]) -> str:
    symbol = body.get("symbol")
    if not isinstance(symbol, str) or not 0 < len(symbol) <= SYMBOL_LENGTH:
        raise BadOrder("symbol", _("Expected a symbol such as BTCUSDT."), field="symbol")
    if not symbol.replace("_", "").isalnum():
        raise BadOrder("symbol", _("Expected a symbol of letters and digits."), field="symbol")
    return symbol.upper()


def one_of(
    body: Mapping[str, Any], name: str, allowed: tuple[str, ...], default: str | None = None
) -> str:
    value = body.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or value not in allowed:
        raise BadOrder(
            name,
            _(
                "Expected %(name)s of %(known)s, was %(was)s.",
                name=name,
                known=", ".join(allowed),
                was=was(value),
            ),
            field=name,
        )
    return value


def amount_of(body: Mapping[str, Any], name: str, shown: str = "") -> Decimal | None:
    """Decimal text (a JSON integer too), above zero. Floats are refused: they are not exact."""
    value = body.get(name)
    if value is None:
        return None
    shown = shown or name
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        raise BadOrder(
            shown,
            _(
                'Expected %(name)s as decimal text such as "0.01", was %(was)s.',
                name=shown,
                was=was(value),
            ),
            field=shown,
        )
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise missing(shown, _("Expected %(name)s as decimal text.", name=shown)) from error
    if amount <= 0:
        raise BadOrder(shown, _("Expected %(name)s above zero.", name=shown), field=shown)
    return amount


def whole_of(body: Mapping[str, Any], name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**15:
        raise missing(name, _("Expected %(name)s as epoch ms.", name=name))
    return value


def flag_of(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise missing(name, _("Expected %(name)s as true or false.", name=name))
    return value


def object_of(body: Mapping[str, Any], name: str, known: set[str]) -> Mapping[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict) or set(value) - known:
        raise missing(
            name,
            _(
                "Expected %(name)s as an object of %(known)s.",
                name=name,
                known=", ".join(sorted(known)),
            ),
        )
    return value


def targets_of(body: Mapping[str, Any]) -> tuple[Decimal, ...]:
    value = body.get("targets")
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_TARGETS:
        raise missing(
            "targets",
            _("Expected targets as a list of at most %(most)s prices.", most=MOST_TARGETS),
        )
    amounts = [amount_of({"target": item}, "target", "targets") for item in value]
    return tuple(amount for amount in amounts if amount is not None)


def words_of(body: Mapping[str, Any], name: str, most: int) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise missing(
            name,
            _("Expected %(name)s as text of at most %(most)s characters.", name=name, most=most),
        )
    return value.strip()
