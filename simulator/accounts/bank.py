"""Every account of the exchange: its keys, what it holds, what time brings, what is told of it."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec

from simulator.accounts import events
from simulator.accounts.algo import AlgoDesk
from simulator.accounts.countdowns import Countdowns
from simulator.accounts.keys import make_key
from simulator.accounts.matching import Matching
from simulator.accounts.pasts import Pasts, write_whole
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
from simulator.accounts.waiting import Algo, OrderList
from simulator.exchange import Exchange
from simulator.sources.generator import FUNDING_EVERY_US, funding_rate

FIRST_ORDER_ID = 10_000_001
FIRST_UID = 354_937_868
EXPIRE_EVERY_MS = 200
Hear = Callable[[str, events.Event], None]


class Kept(msgspec.Struct):
    """What survives a restart."""

    next_id: int
    accounts: list[Account]


class Bank(Matching):
    def __init__(self, exchange: Exchange, path: Path | None = None) -> None:
        super().__init__(exchange)
        self.accounts: dict[int, Account] = {}
        self.keys: dict[str, tuple[Account, Key]] = {}
        self.listeners: dict[int, list[Hear]] = {}
        self.algo = AlgoDesk(self, self._tell_algo)
        self.countdowns = Countdowns(self.cancel)
        self._next_id = FIRST_ORDER_ID
        self._path = path
        self._pasts = Pasts(path)
        self._is_changed = False
        self._saved_at = 0
        self._expires_at = 0
        if path is not None and path.exists():
            self._load(path)
        for market in exchange.markets.values():
            for listed in market.listed.values():
                listed.watchers.append(self.meet)
        for listed in exchange.markets[USDM].listed.values():
            listed.watchers.append(self.algo.meet)

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
        own = replace(model, keys=[], orders={}, algos={}, lists={}, fills=[], movements=[])
        account = copy.deepcopy(own)
        account.uid, account.name = self._next_uid(), name
        account.fills, account.movements = list(model.fills), list(model.movements)
        for order in model.orders.values():
            if order.is_open:
                held = account.holding(self._held_asset(order))
                held.free, held.locked = held.free + order.locked, held.locked - order.locked
            else:
                account.orders[order.id] = order
        self.accounts[account.uid] = account
        self._is_changed = True
        return account

    def settle_past(self, account: Account) -> None:
        """What is behind it is kept once, for it and the twins that it will have."""
        self._pasts.settle(account)
        self._is_changed = True

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

    # --- time passes ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Funding every eight hours, what ends by time, and saving once a second."""
        now = self.now_ms()
        self.algo.tick()
        self.countdowns.tick(now)
        if now >= self._expires_at:
            self.expire(now)
            self._expires_at = now + EXPIRE_EVERY_MS
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
        accounts = list(self.accounts.values())
        kept = Kept(self._next_id, [self._pasts.since(account) for account in accounts])
        write_whole(self._path, msgspec.json.encode(kept))
        self._pasts.forget_all_but(accounts)
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

    def _tell_list(self, account: Account, group: OrderList) -> None:
        self._say(account, SPOT, events.list_status(account, group, self.now_ms()))

    def _tell_algo(self, account: Account, algo: Algo) -> None:
        event = events.algo_update(algo, account.orders.get(algo.order_id), self.now_ms())
        self._say(account, USDM, event)

    def tell_config(self, account: Account, symbol: str) -> None:
        """Its leverage was changed."""
        event = events.account_config(symbol, account.leverage[symbol], self.now_ms())
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
            self._pasts.restore(account)
            self.accounts[account.uid] = account
            self.keys |= {key.api_key: (account, key) for key in account.keys}
            self.algo.restore(account)
            for order in account.orders.values():
                is_listed = order.symbol in self.exchange.markets[order.market].listed
                if order.is_open and not order.is_pending and is_listed:
                    self.rest(account, order)
