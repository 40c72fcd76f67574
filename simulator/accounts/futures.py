"""USD-M futures: positions, realised profit, fees and funding, all from the wallet."""

from collections.abc import Callable

from simulator.accounts import filters
from simulator.accounts.records import USDM, Account, Fill, Movement, Order, Position
from simulator.accounts.refusals import Refusal
from simulator.amounts import UNIT
from simulator.listing import Listing
from simulator.tape import Trade

TAKER_FEE, MAKER_FEE = 500, 200
MILLION = 1_000_000
LEVERAGE = 20
# how much later than asked an order of the made-up year may be filled
LONGEST_WAIT_MS = 2 * 3_600_000

Tell = Callable[[Account, Order, Fill | None, str], None]


class FuturesDesk:
    def __init__(self, tell: Tell, next_id: Callable[[], int]) -> None:
        self._tell = tell
        self._next_id = next_id

    def check(self, account: Account, order: Order, rules: Listing, last_price: int) -> None:
        """Raises Refusal for an order that may not be placed."""
        mine = [o for o in account.open_orders(USDM) if o.symbol == order.symbol]
        filters.check(order, rules, last_price, len(mine))
        if account.is_hedged != (order.position_side != "BOTH"):
            raise Refusal(-4061, "Order's position side does not match user's setting.")
        if any(other.client_id == order.client_id for other in mine):
            raise Refusal(-4116, "ClientOrderId is duplicated.")
        if account.is_hedged and order.reduce_only:
            raise Refusal(-1106, "Parameter 'reduceonly' sent when not required.")
        closing = self._closing(account, order)
        if order.reduce_only and not closing:
            raise Refusal(-2022, "ReduceOnly Order is rejected.")
        if account.is_hedged and _closes_a_side(order) and order.quantity > closing:
            raise Refusal(-2022, "ReduceOnly Order is rejected.")
        opened = max(0, order.quantity - closing)
        leverage = account.leverage.get(order.symbol, LEVERAGE)
        needed = (order.price or last_price) * opened // UNIT // leverage
        if opened and needed > account.wallet.get(rules.quote, 0) - self._used(account):
            raise Refusal(-2019, "Margin is insufficient.")

    def most(self, account: Account, order: Order, price: int, rules: Listing) -> int:
        """How much of an order may be filled."""
        if order.reduce_only or (account.is_hedged and _closes_a_side(order)):
            return min(order.left, self._closing(account, order))
        return order.left

    def _closing(self, account: Account, order: Order) -> int:
        """What of its position an order would close."""
        position = self.position(account, order)
        is_against = position.amount and (position.amount > 0) != order.is_buy
        return abs(position.amount) if is_against else 0

    def _used(self, account: Account) -> int:
        """Margin of open positions, at entry."""
        return sum(
            abs(position.cost) // UNIT // account.leverage.get(position.symbol, LEVERAGE)
            for position in account.positions.values()
        )

    def accept(self, account: Account, order: Order) -> None:
        account.orders[order.id] = order
        self._tell(account, order, None, "NEW")

    def position(self, account: Account, order: Order) -> Position:
        name = f"{order.symbol}:{order.position_side}"
        return account.positions.setdefault(name, Position(order.symbol, order.position_side))

    def fill(
        self,
        account: Account,
        order: Order,
        trade: Trade,
        quantity: int,
        rules: Listing,
        *,
        is_maker: bool,
    ) -> Fill:
        quote = trade.price * quantity // UNIT
        fee = quote * (MAKER_FEE if is_maker else TAKER_FEE) // MILLION
        signed = quantity if order.is_buy else -quantity
        realized = apply(self.position(account, order), signed, trade.price)
        time = trade.time // 1000
        self._move(account, order.symbol, rules.quote, "REALIZED_PNL", realized, time, trade.id)
        self._move(account, order.symbol, rules.quote, "COMMISSION", -fee, time, trade.id)
        order.executed += quantity
        order.quote += quote
        order.updated = time
        order.status = "FILLED" if order.left <= 0 else "PARTIALLY_FILLED"
        fill = Fill(
            USDM,
            order.symbol,
            trade.id,
            order.id,
            order.side,
            trade.price,
            quantity,
            quote,
            fee,
            rules.quote,
            time,
            is_maker,
            order.position_side,
            realized,
        )
        account.fills.append(fill)
        account.updated = time
        self._tell(account, order, fill, "TRADE")
        return fill

    def end(self, account: Account, order: Order, status: str, now_ms: int) -> None:
        order.status, order.updated = status, now_ms
        self._tell(account, order, None, status)

    def fund(
        self, account: Account, rules: Listing, rate: int, mark: int, time_ms: int
    ) -> list[Movement]:
        """Longs pay shorts when the rate (1e-8) is above zero, for what was held at that moment."""
        paid = []
        for amount in self._held(account, rules.symbol, time_ms):
            if amount:
                value = amount * mark // UNIT * rate // UNIT
                moved = self._move(
                    account, rules.symbol, rules.quote, "FUNDING_FEE", -value, time_ms, 0
                )
                paid += [moved] if moved else []
        return paid

    def _held(self, account: Account, symbol: str, time_ms: int) -> list[int]:
        """Signed, by side; an order of just before may have been filled just after."""
        held = {
            position.side: position.amount
            for position in account.positions.values()
            if position.symbol == symbol
        }
        for fill in reversed(account.fills):
            if fill.time < time_ms - LONGEST_WAIT_MS:
                break
            if fill.market == USDM and fill.symbol == symbol and fill.time >= time_ms:
                signed = fill.quantity if fill.side == "BUY" else -fill.quantity
                held[fill.position_side] = held.get(fill.position_side, 0) - signed
        return list(held.values())

    def _move(
        self,
        account: Account,
        symbol: str,
        asset: str,
        kind: str,
        amount: int,
        time: int,
        trade_id: int,
    ) -> Movement | None:
        if not amount:
            return None
        account.wallet[asset] = account.wallet.get(asset, 0) + amount
        moved = Movement(
            "income",
            self._next_id(),
            time,
            asset,
            amount,
            {
                "symbol": symbol,
                "incomeType": kind,
                "info": kind,
                "tradeId": str(trade_id) if trade_id else "",
            },
        )
        account.movements.append(moved)
        return moved


def apply(position: Position, signed: int, price: int) -> int:
    """Change a position by a signed quantity; returns the realised profit, rounded down."""
    if not position.amount or (position.amount > 0) == (signed > 0):
        position.amount += signed
        position.cost += signed * price
        return 0
    closed = min(abs(signed), abs(position.amount))
    share = position.cost * closed // abs(position.amount)
    direction = 1 if position.amount > 0 else -1
    realized = (direction * price * closed - share) // UNIT
    position.cost -= share
    position.amount -= direction * closed
    rest = signed + direction * closed
    if rest:
        position.amount, position.cost = rest, rest * price
    return realized


def _closes_a_side(order: Order) -> bool:
    """In hedge mode a LONG is only ever sold down, a SHORT only ever bought back."""
    return order.is_buy == (order.position_side == "SHORT")
