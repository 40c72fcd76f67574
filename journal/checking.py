"""The one validator: no row is kept, through whatever door, that could not have happened or that
does not fit its column. Pure; the doors keep the reason and go on with the other rows."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from journal.faults import Bad

# Amounts are told with eight places, by a spreadsheet with five digits.
LEAST_AMOUNT = Decimal("0.00000001")
AMOUNT_SHARE = Decimal("0.0001")


OPENED = datetime(2017, 7, 14, tzinfo=UTC)
# Clocks differ by seconds.
AHEAD = timedelta(minutes=1)
SIDES = {"BUY", "SELL"}
POSITION_SIDES = {"BOTH", "LONG", "SHORT"}
LONGEST_COIN, LONGEST_SYMBOL = 20, 40
MOST_ID = 2**63 - 1
# (digits, places) of the columns: prices, quantities, fees; values; transfers
NUMBER, VALUE, MOVED = (32, 12), (40, 16), (40, 18)
Column = tuple[int, int]
STEPS = {places: Decimal(1).scaleb(-places) for _digits, places in (NUMBER, VALUE, MOVED)}


def fits(number: Decimal | int | None, column: Column) -> Decimal:
    """As PostgreSQL will keep it. Raises Bad."""
    digits, places = column
    number = Decimal(number) if isinstance(number, int) else number
    try:
        if number is None or not number.is_finite():
            raise Bad("number", was=number)
        if number and number.adjusted() >= digits - places:
            raise Bad("number_large", was=number)
        return number.quantize(STEPS[places], ROUND_HALF_EVEN)
    except InvalidOperation as error:
        raise Bad("number_large", was=number) from error


def check_time(time: datetime, now: datetime) -> None:
    if time < OPENED:
        raise Bad("time_early", was=f"{time:%Y-%m-%d %H:%M:%S}")
    if time > now + AHEAD:
        raise Bad("time_late", was=f"{time:%Y-%m-%d %H:%M:%S}")


def check_words(*, symbol: str = "", coins: tuple[str, ...] = (), text: str = "") -> None:
    """Names fit their columns and hold nothing that PostgreSQL or a page could not show."""
    if len(symbol) > LONGEST_SYMBOL:
        raise Bad("text_long", was=symbol)
    for coin in coins:
        if len(coin) > LONGEST_COIN:
            raise Bad("text_long", was=coin)
    if not all(word.isprintable() for word in (symbol, *coins, text)):
        raise Bad("text_odd")


def check_fill(
    *,
    symbol: str,
    base: str,
    quote: str,
    side: str,
    position_side: str,
    price: Decimal,
    quantity: Decimal,
    value: Decimal | None,
    fee: Decimal,
    fee_asset: str,
    realized: Decimal | None = None,
    trade_id: int = 0,
    order_id: int = 0,
) -> None:
    """Everything but the time. Raises Bad."""
    if side not in SIDES:
        raise Bad("side", was=side)
    if position_side not in POSITION_SIDES:
        raise Bad("position_side", was=position_side)
    if not symbol or not base or not quote:
        raise Bad("pair", was=symbol)
    check_words(symbol=symbol, coins=(base, quote, fee_asset))
    if fits(price, NUMBER) <= 0:
        raise Bad("price", was=price)
    if fits(quantity, NUMBER) <= 0:
        raise Bad("quantity", was=quantity)
    fits(fee, NUMBER)
    if realized is not None:
        fits(realized, NUMBER)
    if value is not None:
        fits(value, VALUE)
        if value < 0 or not agrees(price, quantity, value):
            raise Bad("amount_differs", product=_plain(price * quantity), amount=_plain(value))
    fits(price * quantity, VALUE)
    for number in (trade_id, order_id):
        if not -MOST_ID <= number <= MOST_ID:
            raise Bad("identity", was=number)


def check_amount(
    *, asset: str, amount: Decimal, column: Column, text: str = "", may_be_zero: bool = False
) -> None:
    """Of a transfer or a line of income; 0 is nothing, also after rounding. Raises Bad."""
    if not asset:
        raise Bad("column", column="coin")
    check_words(coins=(asset,), text=text)
    if not fits(amount, column) and not may_be_zero:
        raise Bad("nothing")


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}" if abs(number.adjusted()) < 40 else str(number)


def agrees(price: Decimal, quantity: Decimal, amount: Decimal) -> bool:
    """Whether a row agrees with itself: price x quantity is its amount, within rounding."""
    product = price * quantity
    room = max(LEAST_AMOUNT, abs(product) * AMOUNT_SHARE)
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent <= -2:
        room = max(room, Decimal(1).scaleb(exponent))
    return abs(product - abs(amount)) <= room
