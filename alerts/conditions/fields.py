"""Readers of a condition's fields: what came in -> how it is kept, or a sentence that helps."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from lib.decimals import plain

# Digits before the point, and places behind it, of any number in a condition.
MOST_DIGITS, MOST_PLACES = 20, 8
LONGEST_WINDOW_S = 86_400


def gettext_noop(text: str) -> str:
    """Marks a sentence for the translators; a door translates it."""
    return text


class BadCondition(ValueError):
    """`template % values` says what was expected and what it was, `field` where."""

    def __init__(self, name: str, template: str, **values: object) -> None:
        super().__init__(template % values)
        self.field = name
        self.template = template
        self.values = values


Read = Callable[[str, Any], Any]


@dataclass(frozen=True)
class Field:
    """One field of a kind of condition; `default` stands for one that was not given."""

    name: str
    read: Read
    is_required: bool = True
    default: Any = None
    # whether it is one of two of which exactly one has to be given
    is_either: bool = field(default=False)


def number(name: str, raw: Any) -> str:
    """Any decimal number as exact text."""
    return plain(_decimal(name, raw))


def positive(name: str, raw: Any) -> str:
    value = _decimal(name, raw)
    if value <= 0:
        raise BadCondition(
            name, gettext_noop("Expected a number above 0, was %(value)s."), value=shown(raw)
        )
    return plain(value)


def percent(name: str, raw: Any) -> str:
    value = _decimal(name, raw)
    if not 0 < value <= 1000:
        raise BadCondition(
            name,
            gettext_noop("Expected a percentage above 0, at most 1000, was %(value)s."),
            value=shown(raw),
        )
    return plain(value)


def small_percent(name: str, raw: Any) -> str:
    """How far a value has to go back before an alert is armed again."""
    value = _decimal(name, raw)
    if not 0 <= value <= 50:
        raise BadCondition(
            name,
            gettext_noop("Expected a percentage from 0 to 50, was %(value)s."),
            value=shown(raw),
        )
    return plain(value)


def quantile(name: str, raw: Any) -> str:
    value = _decimal(name, raw)
    if not 0 < value < 1:
        raise BadCondition(
            name,
            gettext_noop("Expected a quantile between 0 and 1, such as 0.99, was %(value)s."),
            value=shown(raw),
        )
    return plain(value)


def seconds(low: int, high: int = LONGEST_WINDOW_S) -> Read:
    return _between(
        low, high, gettext_noop("Expected whole seconds from %(low)s to %(high)s, was %(value)s.")
    )


def whole(low: int, high: int) -> Read:
    return _between(
        low, high, gettext_noop("Expected a whole number from %(low)s to %(high)s, was %(value)s.")
    )


def _between(low: int, high: int, sentence: str) -> Read:
    def read(name: str, raw: Any) -> int:
        is_whole = isinstance(raw, int) and not isinstance(raw, bool)
        if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 9:
            raw, is_whole = int(raw), True
        if not is_whole or not low <= raw <= high:
            raise BadCondition(name, sentence, low=low, high=high, value=shown(raw))
        return int(raw)

    return read


def choice(*allowed: str) -> Read:
    def read(name: str, raw: Any) -> str:
        if not isinstance(raw, str) or raw not in allowed:
            raise BadCondition(
                name,
                gettext_noop("Expected one of %(allowed)s, was %(value)s."),
                allowed=", ".join(allowed),
                value=shown(raw),
            )
        return raw

    return read


def word(most: int) -> Read:
    def read(name: str, raw: Any) -> str:
        text = raw.strip() if isinstance(raw, str) else ""
        if not 0 < len(text) <= most or not text.isprintable():
            raise BadCondition(
                name,
                gettext_noop("Expected a text of 1 to %(most)s characters, was %(value)s."),
                most=most,
                value=shown(raw),
            )
        return text

    return read


def symbol(name: str, raw: Any) -> str:
    """As the exchange spells it, in upper case."""
    text = raw.strip().upper() if isinstance(raw, str) else ""
    if not 0 < len(text) <= 40 or not text.replace("_", "").isalnum():
        raise BadCondition(
            name,
            gettext_noop("Expected a symbol such as BTCUSDT, was %(value)s."),
            value=shown(raw),
        )
    return text


def account(name: str, raw: Any) -> str:
    """The id of an exchange account."""
    try:
        return str(UUID(raw))
    except (ValueError, TypeError, AttributeError) as error:
        raise BadCondition(
            name,
            gettext_noop("Expected the id of one of your accounts, was %(value)s."),
            value=shown(raw),
        ) from error


def row(name: str, raw: Any) -> int:
    """The number of a row of ours."""
    if isinstance(raw, str) and raw.isascii() and raw.isdigit() and len(raw) < 16:
        raw = int(raw)
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 < raw < 2**53:
        raise BadCondition(
            name, gettext_noop("Expected a row's number, was %(value)s."), value=shown(raw)
        )
    return raw


def _decimal(name: str, raw: Any) -> Decimal:
    is_number = isinstance(raw, str | int | float | Decimal) and not isinstance(raw, bool)
    try:
        # a float is taken as it is written
        value = Decimal(str(raw).strip()) if is_number and len(str(raw)) < 60 else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    exponent = value.normalize().as_tuple().exponent if value.is_finite() else 0
    is_exact = isinstance(exponent, int) and exponent >= -MOST_PLACES
    if not value.is_finite() or value.adjusted() >= MOST_DIGITS or not is_exact:
        raise BadCondition(
            name,
            gettext_noop(
                "Expected a number of at most %(digits)s digits and %(places)s decimal places, "
                "was %(value)s."
            ),
            digits=MOST_DIGITS,
            places=MOST_PLACES,
            value=shown(raw),
        )
    return value


def shown(raw: Any) -> str:
    """What came in, short, as a sentence can hold it."""
    return "nothing" if raw is None else repr(raw)[:60]
