"""What an account holds and what happened to it. Amounts in units of 1e-8, times in epoch ms."""

from dataclasses import dataclass, field

from simulator.accounts.waiting import Algo, OrderList

SPOT, USDM, FUNDING = "spot", "usdm", "funding"
# of an order list: placed when the working order is filled
PENDING = "PENDING_NEW"
OPEN = {"NEW", "PARTIALLY_FILLED", PENDING}


@dataclass(slots=True)
class Holding:
    free: int = 0
    locked: int = 0

    @property
    def total(self) -> int:
        return self.free + self.locked


@dataclass(slots=True)
class Order:
    market: str
    symbol: str
    id: int
    client_id: str
    side: str
    type: str
    time_in_force: str
    price: int
    quantity: int
    time: int
    updated: int
    # of a spot market order by value: what it may spend or has to bring in
    quote_quantity: int = 0
    stop_price: int = 0
    executed: int = 0
    quote: int = 0
    status: str = "NEW"
    position_side: str = "BOTH"
    reduce_only: bool = False
    self_trade_prevention: str = "EXPIRE_MAKER"
    # what it holds back: quote of a buy, base of a sell
    locked: int = 0
    amends: list[tuple[int, int, int, str]] = field(default_factory=list)
    # answered as unknown until then (a fault)
    hidden_until: int = 0
    # of an order with a stop price: the price was there
    is_triggered: bool = False
    # the order list that it belongs to
    list_id: int = -1
    # when it came on the book, of one that was pending
    working_since: int = 0
    # why the exchange ended it
    reason: str = ""
    # futures: the conditional order whose trigger made it, and of what type that was
    algo_id: int = 0
    original_type: str = ""
    working_type: str = "CONTRACT_PRICE"
    close_position: bool = False
    good_till: int = 0

    @property
    def is_buy(self) -> bool:
        return self.side == "BUY"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def first_client_id(self) -> str:
        """As it was placed: an amendment may rename it."""
        return self.amends[0][3] if self.amends else self.client_id

    @property
    def is_pending(self) -> bool:
        return self.status == PENDING

    @property
    def is_waiting(self) -> bool:
        """For its stop price."""
        return bool(self.stop_price) and not self.is_triggered

    @property
    def is_market(self) -> bool:
        """Takes whatever price there is (a triggered stop without a limit too)."""
        return not self.price

    @property
    def is_by_value(self) -> bool:
        return bool(self.quote_quantity)

    @property
    def left(self) -> int:
        return self.quantity - self.executed


@dataclass(slots=True)
class Fill:
    market: str
    symbol: str
    # the tape's own trade id
    id: int
    order_id: int
    side: str
    price: int
    quantity: int
    quote: int
    commission: int
    commission_asset: str
    time: int
    is_maker: bool
    position_side: str = "BOTH"
    realized: int = 0
    # planted: it happened, but the exchange does not tell of it any more
    is_forgotten: bool = False


@dataclass(slots=True)
class Position:
    """`amount` is signed; `cost` the sum of price x amount of what is open, in 1e-16."""

    symbol: str
    side: str = "BOTH"
    amount: int = 0
    cost: int = 0

    @property
    def entry(self) -> int:
        return abs(self.cost) // abs(self.amount) if self.amount else 0


@dataclass(slots=True)
class Movement:
    """Anything that moved a balance and was no order: `kind` is deposit, withdrawal, dust, convert,
    dividend, transfer or income; `details` are in the words of the endpoint that tells of it."""

    kind: str
    id: int
    time: int
    asset: str
    amount: int
    details: dict[str, str | int | bool] = field(default_factory=dict)


@dataclass(slots=True)
class Key:
    """`secret` is the HMAC secret, or the public key in PEM."""

    api_key: str
    kind: str
    secret: str
    permissions: dict[str, bool]
    # addresses that may use it; none: all
    addresses: list[str] = field(default_factory=list)
    created: int = 0
    is_revoked: bool = False


@dataclass(slots=True)
class Account:
    uid: int
    name: str
    keys: list[Key] = field(default_factory=list)
    holdings: dict[str, Holding] = field(default_factory=dict)
    # the futures wallet
    wallet: dict[str, int] = field(default_factory=dict)
    # the funding wallet, beside what was moved to it from spot; Earn, by its two kinds
    funding: dict[str, int] = field(default_factory=dict)
    flexible: dict[str, int] = field(default_factory=dict)
    locked: dict[str, int] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    algos: dict[int, Algo] = field(default_factory=dict)
    lists: dict[int, OrderList] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    positions: dict[str, Position] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    leverage: dict[str, int] = field(default_factory=dict)
    # symbols that are not CROSSED
    isolated: set[str] = field(default_factory=set)
    is_hedged: bool = False
    pays_in_bnb: bool = True
    funded_until: int = 0
    updated: int = 0
    # the number of what it has behind it together with its twins (`pasts`)
    past: int = 0

    def holding(self, asset: str) -> Holding:
        return self.holdings.setdefault(asset, Holding())

    def open_orders(self, market: str) -> list[Order]:
        return [order for order in self.orders.values() if order.is_open and order.market == market]
