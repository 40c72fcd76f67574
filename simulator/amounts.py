"""Decimal text of the exchange and scaled integers. The simulator shares no code with the apps."""

UNIT = 10**8


def to_units(text: str) -> int:
    """`"61837.63"` -> 6183763000000."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction[:8].ljust(8, "0"))


def to_text(units: int) -> str:
    """6183763000000 -> `"61837.63000000"`."""
    if units < 0:
        return "-" + to_text(-units)
    return f"{units // UNIT}.{units % UNIT:08d}"


def places_text(units: int, places: int) -> str:
    """6183763000000 with 2 places -> `"61837.63"`; more places where the amount needs them."""
    text = to_text(units)
    if units % 10 ** (8 - places):
        return text.rstrip("0")
    return text[: len(text) - 8 + places] if places else text[:-9]


def product_text(price: int, quantity: int) -> str:
    """Quote value in eight places, rounded down as Binance prints `quoteQty`."""
    return to_text(price * quantity // UNIT)


def ratio_text(numerator: int, denominator: int, places: int) -> str:
    """A ratio of two amounts of one scale, rounded down towards zero; `"0"` over zero."""
    if not denominator:
        return places_text(0, places)
    scaled = abs(numerator) * 10**places // abs(denominator)
    sign = "-" if (numerator < 0) != (denominator < 0) and scaled else ""
    whole, fraction = divmod(scaled, 10**places)
    return f"{sign}{whole}.{fraction:0{places}d}" if places else f"{sign}{whole}"
