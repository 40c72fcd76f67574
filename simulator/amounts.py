"""Decimal text of the exchange: always eight places. The simulator shares no code with the apps."""

UNIT = 10**8


def to_units(text: str) -> int:
    """`"61837.63"` -> 6183763000000."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction[:8].ljust(8, "0"))


def to_text(units: int) -> str:
    """6183763000000 -> `"61837.63000000"`."""
    return f"{units // UNIT}.{units % UNIT:08d}"


def product_text(price: int, quantity: int) -> str:
    """Quote value in eight places, rounded down as Binance prints `quoteQty`."""
    return to_text(price * quantity // UNIT)
