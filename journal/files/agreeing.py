"""Whether a row agrees with itself: price x quantity is its amount, within rounding."""

from decimal import Decimal

# Amounts are told with eight places, by a spreadsheet with five digits.
LEAST = Decimal("0.00000001")
SHARE = Decimal("0.0001")


def agrees(price: Decimal, quantity: Decimal, amount: Decimal) -> bool:
    product = price * quantity
    room = max(LEAST, abs(product) * SHARE)
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent <= -2:
        room = max(room, Decimal(1).scaleb(exponent))
    return abs(product - abs(amount)) <= room
