"""The made-up trader's orders: entries, stops, targets and exits, in the order of their times."""

import heapq
import random
from collections.abc import Callable
from itertools import count

from simulator.accounts.bank import Bank
from simulator.accounts.futures import FuturesDesk
from simulator.accounts.habits import LONGEST_MS, MINUTE_MS, TRIES, Habits, Plan
from simulator.accounts.records import SPOT, USDM, Account, Order
from simulator.amounts import UNIT
from simulator.listing import Listing
from simulator.sources.past import PastTrades
from simulator.sources.walk import DAY_MS, DAYS, HOUR_MS, Walks
from simulator.tape import Trade

# Ids of a year whose tapes have no past lie below those of the tapes, which begin at 1,000,001.
MOST_ID = 990_000
SMALLEST = 12 * UNIT
Action = Callable[[int], None]


class RoundTrips:
    """`at_ms` is where the year is: fees are valued as of then."""

    def __init__(
        self, bank: Bank, account: Account, rng: random.Random, walks: Walks, desk: FuturesDesk
    ) -> None:
        self.bank = bank
        self.account = account
        self.rng = rng
        self.walks = walks
        self.at_ms = walks.start_ms
        self.habits = Habits(rng, walks)
        self._desk = desk
        self._number = count()
        self._due: list[tuple[int, int, Action]] = []
        self._open: set[tuple[str, str]] = set()
        self._last_ids: dict[tuple[str, str], int] = {}
        self._last_us: dict[tuple[str, str], int] = {}

    # --- time -----------------------------------------------------------------------------------

    def at(self, time_ms: int, action: Action) -> None:
        heapq.heappush(self._due, (time_ms, next(self._number), action))

    def run_until(self, time_ms: int) -> None:
        while self._due and self._due[0][0] < time_ms:
            due, _, action = heapq.heappop(self._due)
            self.at_ms = max(self.at_ms, due)
            action(due)

    def visit(self, time_ms: int, spot: Listing, usdm: Listing | None) -> None:
        """A few round trips, one after the other, on one market of each kind."""
        for number in range(self.rng.randint(5, 9)):
            moment = time_ms + number * self.rng.randint(9, 14) * MINUTE_MS
            self._think(SPOT, spot, moment)
        for number in range(self.rng.randint(1, 3) if usdm else 0):
            moment = time_ms + number * self.rng.randint(15, 40) * MINUTE_MS
            if usdm is not None:
                self._think(USDM, usdm, moment)

    # --- round trips ----------------------------------------------------------------------------

    def _think(self, market: str, rules: Listing, time_ms: int) -> None:
        mind = self.habits.mind()
        self.at(time_ms, lambda now: self._look(market, rules, now, mind, TRIES))

    def _look(self, market: str, rules: Listing, now: int, mind: str, tries: int) -> None:
        past, is_long = self.past(market, rules.symbol), None
        if (market, rules.symbol) not in self._open:
            is_long = self.habits.direction(past, rules, now, mind, may_short=market == USDM)
        if is_long is not None:
            self._enter(market, rules, now, is_long=is_long)
        elif tries > 1:
            later = now + self.rng.randint(2, 6) * MINUTE_MS
            self.at(later, lambda then: self._look(market, rules, then, mind, tries - 1))

    def _enter(self, market: str, rules: Listing, now: int, *, is_long: bool) -> None:
        value = self.habits.value() * (2 if market == USDM else 1)
        if market == SPOT:
            value = min(value, self.account.holding("USDT").free // 3)
        price = self.walks.at(rules, now)
        quantity = value * UNIT // price // rules.step * rules.step
        order = self.trade(market, rules, now, quantity, is_buy=is_long, is_maker=self._is_maker())
        if order is None or not order.executed:
            return
        entry, since = order.quote * UNIT // order.executed, order.updated
        stop, target = self.habits.stop_and_target(rules, since, entry, is_long)
        plan = Plan(market, rules, is_long, order.executed, entry, stop, target, 0)
        self._choose_end(plan, since)
        self._open.add((market, rules.symbol))
        if market == SPOT and self.rng.random() < 0.7:
            plan.order = self._stop_order(plan, since + self.rng.randint(800, 6_000))
        self.at(plan.leaves_ms, lambda then: self._leave(plan, then))

    def _choose_end(self, plan: Plan, since_ms: int) -> None:
        """The stop, the target, or when patience ends; a few are held over night."""
        past = self.past(plan.market, plan.rules.symbol)
        if self.rng.random() < 0.12 or past is None:
            plan.leaves_ms = since_ms + self.rng.randint(5, 18) * HOUR_MS
            return
        plan.leaves_ms = since_ms + self.rng.randint(8 * MINUTE_MS, LONGEST_MS)
        low, high = sorted((plan.stop, plan.target))
        touched = past.first_touch(since_ms * 1000, plan.leaves_ms * 1000, low, high)
        if touched is not None:
            is_low, time_us = touched
            plan.reason = "stop" if is_low == plan.is_long else "target"
            plan.leaves_ms = -(-time_us // 1000)

    def _stop_order(self, plan: Plan, now: int) -> Order | None:
        """A stop that sells what was bought, as far as it is still there."""
        rules, holding = plan.rules, self.account.holding(plan.rules.base)
        quantity = min(plan.quantity, holding.free) // rules.step * rules.step
        if quantity <= 0 or now >= plan.leaves_ms:
            return None
        limit = plan.stop * 995 // 1000 // rules.tick * rules.tick
        order = self.order(SPOT, rules, False, limit, quantity, now, "STOP_LOSS_LIMIT")
        order.stop_price = plan.stop
        order.locked = quantity
        holding.free -= quantity
        holding.locked += quantity
        return order

    def _leave(self, plan: Plan, now: int) -> None:
        rules, order = plan.rules, plan.order
        if order is not None and plan.reason == "stop":
            order.is_triggered = True
            self._fill(order, rules, now, is_maker=False)
        elif order is not None:
            self.bank.spot.end(self.account, order, rules, "CANCELED", now)
        if order is None or not order.executed:
            order = self._close(plan, now)
        if order is None or order.left:
            if now < self.walks.start_ms + DAYS * DAY_MS - HOUR_MS:
                self.at(now + 5 * MINUTE_MS, lambda then: self._leave(plan, then))
                plan.order, plan.reason = None, "time"
                return
        else:
            price = order.quote * UNIT // order.executed
            self.habits.learn(price - plan.entry if plan.is_long else plan.entry - price)
            turned = order.executed - plan.quantity if plan.market == USDM else 0
            if turned > 0:
                self._go_on(plan, turned, price, order.updated)
                return
        self._open.discard((plan.market, rules.symbol))

    def _go_on(self, plan: Plan, quantity: int, price: int, now: int) -> None:
        """The other way round, with what an exit was larger than its position."""
        is_long = not plan.is_long
        stop, target = self.habits.stop_and_target(plan.rules, now, price, is_long)
        turned = Plan(plan.market, plan.rules, is_long, quantity, price, stop, target, 0)
        self._choose_end(turned, now)
        self.at(turned.leaves_ms, lambda then: self._leave(turned, then))

    def _close(self, plan: Plan, now: int) -> Order | None:
        quantity = plan.quantity
        if plan.market == SPOT:
            free = self.account.holding(plan.rules.base).free
            quantity = min(quantity, free) // plan.rules.step * plan.rules.step
        elif plan.reason == "stop" and self.rng.random() < 0.1:  # a flip
            quantity = quantity * 3 // 2 // plan.rules.step * plan.rules.step
        is_maker = plan.reason == "target" and self.rng.random() < 0.8
        return self.trade(
            plan.market, plan.rules, now, quantity, is_buy=not plan.is_long, is_maker=is_maker
        )

    def _is_maker(self) -> bool:
        return self.rng.random() < 0.35

    # --- orders ---------------------------------------------------------------------------------

    def trade(
        self,
        market: str,
        rules: Listing,
        now: int,
        quantity: int,
        *,
        is_buy: bool,
        is_maker: bool = False,
    ) -> Order | None:
        """An order that is filled at once, or as soon as somebody takes it."""
        if quantity * self.walks.at(rules, now) // UNIT < SMALLEST:
            return None
        trades = self._match(market, rules, is_buy == is_maker, quantity, now)
        if not trades:
            return None
        price = trades[0].price
        order = self.order(market, rules, is_buy, price if is_maker else 0, quantity, now)
        if market == SPOT:
            holding = self.account.holding("USDT" if is_buy else rules.base)
            order.locked = quantity * price * 102 // 100 // UNIT if is_buy else quantity
            holding.free -= order.locked
            holding.locked += order.locked
        self._take(order, rules, trades, is_maker=is_maker)
        return order

    def order(
        self,
        market: str,
        rules: Listing,
        is_buy: bool,
        price: int,
        quantity: int,
        now: int,
        kind: str = "",
    ) -> Order:
        made = Order(
            market,
            rules.symbol,
            self.bank.next_id(),
            f"demo{self.bank.next_id()}",
            "BUY" if is_buy else "SELL",
            kind or ("LIMIT" if price else "MARKET"),
            "GTC",
            price,
            quantity,
            now,
            now,
        )
        self.account.orders[made.id] = made
        return made

    def past(self, market: str, symbol: str) -> PastTrades | None:
        """What a market traded before its tape began, where that is known."""
        listed = self.bank.exchange.markets[market].listed.get(symbol)
        before = listed.symbol.tape.before if listed else None
        return before if isinstance(before, PastTrades) else None

    def _fill(self, order: Order, rules: Listing, now: int, *, is_maker: bool) -> None:
        trades = self._match(order.market, rules, order.is_buy == is_maker, order.left, now)
        self._take(order, rules, trades, is_maker=is_maker)

    def _take(self, order: Order, rules: Listing, trades: list[Trade], *, is_maker: bool) -> None:
        desk = self.bank.spot if order.market == SPOT else self._desk
        for trade in trades:
            part = min(order.left, trade.quantity)
            if part:
                desk.fill(self.account, order, trade, part, rules, is_maker=is_maker)
                self._last_us[order.market, order.symbol] = trade.time

    def _match(
        self, market: str, rules: Listing, is_buyer_maker: bool, quantity: int, now: int
    ) -> list[Trade]:
        """Trades of the past that were an order's, at that moment or soon after. Where a market's
        past is not known they are made up, with ids that grow with time."""
        key, past = (market, rules.symbol), self.past(market, rules.symbol)
        if past is not None:
            time_us = max(now * 1000, self._last_us.get(key, 0) + 1)
            return past.match(time_us, quantity, is_buyer_maker=is_buyer_maker)
        now = max(now, self._last_us.get(key, 0) // 1000)
        wish = 1 + (now - self.walks.start_ms) * MOST_ID // (DAYS * DAY_MS)
        trade_id = self._last_ids[key] = max(wish, self._last_ids.get(key, 0) + 1)
        price = self.walks.at(rules, now)
        return [Trade(trade_id, price, quantity, now * 1000, is_buyer_maker, trade_id)]
