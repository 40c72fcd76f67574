"""Decimal text to scaled integers and back, exactly.

Binance sends prices and quantities as decimal strings of at most 8 places. Inside the flow they
are integers: `price` and `quantity` at 1e-8, their product (quote value) at 1e-16. Python integers
do not overflow and do not round, so a sum of any length equals the exchange's own.
"""

from decimal import Decimal

PLACES = 8
UNIT = 10**PLACES
# Of a number in a sentence.
DIGITS = 7
MINUS = "\N{MINUS SIGN}"
QUOTE_PLACES = 2 * PLACES
QUOTE_UNIT = 10**QUOTE_PLACES


def scaled(text: str, places: int = PLACES) -> int:
    """`"61837.63"` -> 6183763000000. Raises ValueError for text with more than `places` places."""
    if places == PLACES and text[-9:-8] == ".":  # as Binance writes nearly all of them
        return int(text[:-9] + text[-8:])
    whole, _, fraction = text.partition(".")
    if not whole:
        raise ValueError(f"expected decimal text, was {text!r}")
    if len(fraction) > places:
        if fraction[places:].strip("0"):
            raise ValueError(f"expected at most {places} decimal places, was {text!r}")
        fraction = fraction[:places]
    return int(whole + fraction.ljust(places, "0"))


def text(value: int, places: int = PLACES) -> str:
    """6183763000000 -> `"61837.63"`: exact, no exponent, no trailing zeros."""
    sign = "-" if value < 0 else ""
    digits = str(abs(value)).rjust(places + 1, "0")
    fraction = digits[-places:].rstrip("0")
    return f"{sign}{digits[:-places]}.{fraction}" if fraction else f"{sign}{digits[:-places]}"


def decimal(value: int, places: int = PLACES) -> Decimal:
    """The scaled integer as a Decimal of exactly `places` places (for PostgreSQL's numeric)."""
    return Decimal(value).scaleb(-places)


def from_decimal(value: Decimal, places: int = PLACES) -> int:
    """The inverse of `decimal`. Raises ValueError when digits would be lost."""
    scaled = value.scaleb(places)
    result = int(scaled)
    if result != scaled:
        raise ValueError(f"expected at most {places} decimal places, was {value}")
    return result


def readable(value: Decimal) -> str:
    """Short text for a sentence, thousands apart: of large numbers two places, of others seven
    digits; zeros at the end are left out. 96137.4200 -> `96,137.42`, -0.000123456789 ->
    `−0.0001234568`."""
    if not value.is_finite():
        return str(value)
    places = 2 if abs(value) >= 1000 else max(0, DIGITS - 1 - value.adjusted())
    digits = f"{abs(value):,.{places}f}"
    shown = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return f"{MINUS}{shown}" if value < 0 and shown.strip("0.,") else shown


def plain(value: Decimal) -> str:
    """Exact text without exponent and without trailing zeros, as the API and people read it."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
