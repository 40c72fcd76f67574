"""Every account of the exchange: orders come in here, meet the tape, and owners hear of it."""

import copy
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from simulator.accounts import events, filters
from simulator.accounts.futures import FuturesDesk
from simulator.accounts.keys import make_key
from simulator.accounts.records import (
    FUNDING,
    SPOT,
    USDM,
    Account,
    Fill,
    Holding,
    Key,
    Movement,
    Order,
)
from simulator.accounts.refusals import UNKNOWN_ORDER, Refusal
from simulator.accounts.spot import SpotDesk
from simulator.amounts import UNIT
from simulator.exchange import Exchange, Listed
from simulator.faults import Faults
from simulator.sources.generator import FUNDING_EVERY_US, Generated, funding_rate
from simulator.tape import Trade

FIRST_ORDER_ID = 10_000_001
FIRST_UID = 354_937_868
Hear = Callable[[str, events.Event], None]


class Kept(msgspec.Struct):
    """What survives a restart."""

    next_id: int
    accounts: list[Account]


class Bank:
    def __init__(self, exchange: Exchange, path: Path | None = None) -> None:
        self.exchange = exchange
        self.faults: Faults = exchange.faults
        self.accounts: dict[int, Account] = {}
        self.keys: dict[str, tuple[Account, Key]] = {}
        self.listeners: dict[int, list[Hear]] = {}
        self.spot = SpotDesk(self._tell, self._price)
        self.futures = FuturesDesk(self._tell, self.next_id)
        self._resting: dict[tuple[str, str], list[tuple[Account, Order]]] = {}
        self._next_id = FIRST_ORDER_ID
        self._path = path
        self._is_changed = False
        self._saved_at = 0
        if path is not None and path.exists():
            self._load(path)
        for market in exchange.markets.values():
            for listed in market.listed.values():
                listed.watchers.append(self.meet)

    # --- accounts -------------------------------------------------------------------------------

    def open_account(self, name: str, balances: dict[str, int], wallet: dict[str, int]) -> Account:
        account = Account(self._next_uid(), name)
        account.holdings = {asset: Holding(amount) for asset, amount in balances.items()}
        account.wallet = dict(wallet)
        account.funded_until = account.updated = self.now_ms()
        self.accounts[account.uid] = account
        self._is_changed = True
        return account

    def open_like(self, name: str, model: Account) -> Account:
        """A twin with the same past to the last id, and nothing in common from now on; orders that
        are open stay the model's. Keys are its own."""
        account = copy.deepcopy(model)
        account.uid, account.name, account.keys = self._next_uid(), name, []
        for order in [order for order in account.orders.values() if order.is_open]:
            held = account.holding(self._held_asset(order))
            held.free, held.locked = held.free + order.locked, held.locked - order.locked
            del account.orders[order.id]
        self.accounts[account.uid] = account
        self._is_changed = True
        return account

    def close_account(self, account: Account) -> None:
        """With its keys and resting orders; its stream says nothing more."""
        for key in account.keys:
            self.keys.pop(key.api_key, None)
        for place, resting in self._resting.items():
            self._resting[place] = [pair for pair in resting if pair[0] is not account]
        self.accounts.pop(account.uid, None)
        self._is_changed = True

    def _next_uid(self) -> int:
        return max(self.accounts, default=FIRST_UID - 1) + 1

    def _held_asset(self, order: Order) -> str:
        rules = self.listed(order.market, order.symbol).symbol.rules
        return rules.quote if order.is_buy else rules.base

    def add_key(self, account: Account, kind: str, permissions: dict[str, bool]) -> tuple[Key, str]:
        """(key, what its owner keeps secret). Raises ValueError."""
        key, secret = make_key(kind, permissions, self.now_ms())
        self.keep_key(account, key)
        return key, secret

    def changed(self) -> None:
        """Something was changed that a restart must not forget."""
        self._is_changed = True

    def keep_key(self, account: Account, key: Key) -> None:
        account.keys.append(key)
        self.keys[key.api_key] = (account, key)
        self._is_changed = True

    def next_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def now_ms(self) -> int:
        return self.exchange.now() // 1000

    def listed(self, market: str, symbol: str) -> Listed:
        """Raises Refusal."""
        found = self.exchange.markets[market].listed.get(symbol)
        if found is None:
            raise Refusal(-1121, "Invalid symbol.")
        return found

    def last_price(self, market: str, symbol: str) -> int:
        shown = self.listed(market, symbol).symbol
        last = shown.tape.last_market
        return last.price if last else shown.rules.price

    def move(self, account: Account, movement: Movement, market: str = SPOT) -> None:
        """A deposit, a withdrawal, … now."""
        if market == SPOT:
            account.holding(movement.asset).free += movement.amount
            event = events.balance_update(movement.asset, movement.amount, self.now_ms())
        elif market == FUNDING:  # no stream tells of it
            account.funding[movement.asset] = (
                account.funding.get(movement.asset, 0) + movement.amount
            )
            account.movements.append(movement)
            self._is_changed = True
            return
        else:
            account.wallet[movement.asset] = account.wallet.get(movement.asset, 0) + movement.amount
            event = events.account_update(
                account, "DEPOSIT", [movement.asset], [], self.now_ms(), movement.amount
            )
        account.movements.append(movement)
        account.updated = self.now_ms()
        self._say(account, market, event)

    # --- orders ---------------------------------------------------------------------------------

    def place(self, account: Account, order: Order) -> list[Fill]:
        """Checked, taken as far as the book gives at once, the rest resting. Raises Refusal."""
        listed = self.listed(order.market, order.symbol)
        rules, price = listed.symbol.rules, self.last_price(order.market, order.symbol)
        self.check(account, order)
        is_spot = order.market == SPOT
        if order.type in {"LIMIT_MAKER"} or order.time_in_force == "GTX":
            self._refuse_taking(listed, order)
        if is_spot:
            self.spot.accept(account, order, rules, price)
        else:
            self.futures.accept(account, order)
        known = len(account.fills)
        if order.is_waiting:
            self._rest(account, order)
        else:
            self._take(account, order, listed)
        return account.fills[known:]

    def check(self, account: Account, order: Order) -> None:
        """Raises Refusal for an order that may not be placed."""
        listed = self.listed(order.market, order.symbol)
        desk = self.spot if order.market == SPOT else self.futures
        price = self.last_price(order.market, order.symbol)
        desk.check(account, order, listed.symbol.rules, price)
        if order.is_waiting and _is_reached(order, price):
            raise Refusal(-2010, "Stop price would trigger immediately.")

    def check_filters(self, order: Order) -> None:
        """What does not depend on balances. Raises Refusal."""
        rules = self.listed(order.market, order.symbol).symbol.rules
        filters.check(order, rules, self.last_price(order.market, order.symbol), 0)

    def cancel(self, account: Account, order: Order, status: str = "CANCELED") -> None:
        """Raises Refusal."""
        if not order.is_open:
            raise Refusal(-2011, UNKNOWN_ORDER)
        self._unrest(account, order)
        if order.market == SPOT:
            rules = self.listed(SPOT, order.symbol).symbol.rules
            self.spot.end(account, order, rules, status, self.now_ms())
        else:
            self.futures.end(account, order, status, self.now_ms())

    def renew(self, account: Account, order: Order) -> None:
        """An order that was taken out and changed comes in again."""
        self._take(account, order, self.listed(order.market, order.symbol))

    def _take(self, account: Account, order: Order, listed: Listed) -> None:
        """What crosses the book is taken now; on a replay the next trades of the tape fill it."""
        source = listed.symbol.source
        if isinstance(source, Generated):
            wanted = order.left
            if order.is_by_value:
                wanted = order.quote_quantity * UNIT // self.last_price(order.market, order.symbol)
            if order.time_in_force == "FOK" and listed.depth(order.is_buy, order.price) < wanted:
                self.cancel(account, order, "EXPIRED")
                return
            for trade in listed.take(order.is_buy, wanted, order.price, self.exchange.now()):
                self._fill(account, order, trade, trade.quantity, is_maker=False)
                if not order.is_open:
                    return
            if order.is_market or order.time_in_force in {"IOC", "FOK"}:
                self.cancel(account, order, "EXPIRED")
                return
        elif order.time_in_force in {"IOC", "FOK"} and not order.is_market:
            self.cancel(account, order, "EXPIRED")  # a replay has nobody to take from at once
            return
        self._rest(account, order)

    def meet(self, listed: Listed, trades: Iterable[Trade]) -> None:
        """New trades of the tape fill what rests; a trade fills one order at most."""
        resting = self._resting.get((listed.symbol.rules.market, listed.symbol.rules.symbol))
        if not resting:
            return
        for trade in trades:
            for account, order in list(resting):
                if not order.is_open:
                    continue  # filled or cancelled while this list was walked
                if order.is_waiting:
                    self._trigger(account, order, trade, listed)
                elif _crosses(order, trade):
                    wanted = trade.quantity if order.is_by_value else order.left
                    self._fill(
                        account,
                        order,
                        trade,
                        min(wanted, trade.quantity),
                        is_maker=not order.is_market,
                    )
                    break

    def _trigger(self, account: Account, order: Order, trade: Trade, listed: Listed) -> None:
        if _is_reached(order, trade.price):
            order.is_triggered = True
            self._unrest(account, order)
            self._take(account, order, listed)

    def _fill(
        self, account: Account, order: Order, trade: Trade, quantity: int, *, is_maker: bool
    ) -> None:
        """As much of it as may be: by value not more than was asked for, and never more than the
        account can pay or, where the order may only reduce, than its position holds."""
        rules = self.listed(order.market, order.symbol).symbol.rules
        desk = self.spot if order.market == SPOT else self.futures
        most = desk.most(account, order, trade.price, rules)
        quantity = min(quantity, most // rules.step * rules.step)
        if quantity <= 0:
            self.cancel(account, order, "EXPIRED")
            return
        desk.fill(account, order, trade, quantity, rules, is_maker=is_maker)
        if not order.is_open:
            self._unrest(account, order)

    def _refuse_taking(self, listed: Listed, order: Order) -> None:
        bid, _, ask, _ = listed.symbol.source.book.best()
        if (order.is_buy and ask and order.price >= ask) or (
            not order.is_buy and bid and order.price <= bid
        ):
            raise Refusal(-2010, "Order would immediately match and take.")

    def _rest(self, account: Account, order: Order) -> None:
        self._resting.setdefault((order.market, order.symbol), []).append((account, order))

    def _unrest(self, account: Account, order: Order) -> None:
        resting = self._resting.get((order.market, order.symbol), [])
        self._resting[order.market, order.symbol] = [
            pair for pair in resting if pair[1] is not order
        ]

    def _price(self, asset: str, quote: str) -> int:
        """Last price of a pair; 0 when it is not listed."""
        found = self.exchange.markets[SPOT].listed.get(f"{asset}{quote}")
        if found is None:
            return 880 * UNIT if (asset, quote) == ("BNB", "USDT") else 0
        return self.last_price(SPOT, f"{asset}{quote}")

    # --- time passes ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Funding every eight hours, and saving once a second."""
        now = self.now_ms()
        for account in self.accounts.values():
            due = account.funded_until * 1000 // FUNDING_EVERY_US + 1
            if account.positions and due * FUNDING_EVERY_US <= now * 1000:
                self._fund(account, due)
            elif not account.positions:
                account.funded_until = now
        if self._path is not None and self._is_changed and now - self._saved_at > 1000:
            self.save()

    def save(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_bytes(msgspec.json.encode(Kept(self._next_id, list(self.accounts.values()))))
        part.replace(self._path)
        self._is_changed, self._saved_at = False, self.now_ms()

    def _fund(self, account: Account, number: int) -> None:
        time_ms = number * FUNDING_EVERY_US // 1000
        for listed in self.exchange.markets[USDM].listed.values():
            rules = listed.symbol.rules
            mark = listed.symbol.mark(self.exchange.now())
            price = mark.price if mark else self.last_price(USDM, rules.symbol)
            paid = self.futures.fund(account, rules, funding_rate(rules, number), price, time_ms)
            for moved in paid:
                event = events.account_update(
                    account, "FUNDING_FEE", [moved.asset], [], self.now_ms(), moved.amount
                )
                self._say(account, USDM, event)
        account.funded_until = time_ms

    # --- owners hear of it ----------------------------------------------------------------------

    def listen(self, uid: int, hear: Hear) -> Callable[[], None]:
        """Returns what ends it."""
        self.listeners.setdefault(uid, []).append(hear)
        return lambda: self.listeners[uid].remove(hear)

    def _tell(self, account: Account, order: Order, fill: Fill | None, kind: str) -> None:
        now = self.now_ms()
        if order.market == SPOT:
            rules = self.listed(SPOT, order.symbol).symbol.rules
            assets = {rules.base, rules.quote, *([fill.commission_asset] if fill else [])}
            report = events.execution_report(order, fill, kind, self.next_id(), now)
            self._say(account, SPOT, report)
            if kind != "REPLACED":
                self._say(account, SPOT, events.account_position(account, assets, now))
            return
        self._say(account, USDM, events.order_trade_update(order, fill, kind, now))
        if fill:
            position = account.positions[f"{order.symbol}:{order.position_side}"]
            event = events.account_update(
                account, "ORDER", [fill.commission_asset], [position], now
            )
            self._say(account, USDM, event)

    def _say(self, account: Account, market: str, event: events.Event) -> None:
        self._is_changed = True
        for _ in range(self.faults.user_copies()):
            for hear in list(self.listeners.get(account.uid, [])):
                hear(market, event)

    def _load(self, path: Path) -> None:
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
        self._next_id = kept.next_id
        for account in kept.accounts:
            self.accounts[account.uid] = account
            self.keys |= {key.api_key: (account, key) for key in account.keys}
            for order in account.orders.values():
                if order.is_open and order.symbol in self.exchange.markets[order.market].listed:
                    self._rest(account, order)


def _crosses(order: Order, trade: Trade) -> bool:
    """A taker of the other side at the order's price or a better one; a waiting market order takes
    whatever comes."""
    if order.is_market:
        return True
    if order.is_buy:
        return trade.is_buyer_maker and trade.price <= order.price
    return not trade.is_buyer_maker and trade.price >= order.price


def _is_reached(order: Order, price: int) -> bool:
    """A stop buys when the price has risen to it, a take-profit when it has fallen; sells the
    other way round."""
    rises = order.is_buy == order.type.startswith("STOP")
    return price >= order.stop_price if rises else price <= order.stop_price
