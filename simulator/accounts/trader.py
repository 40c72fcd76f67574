"""The made-up trader goes on living: a small round trip every few minutes on spot, so that a
journal has fills whose market was seen. Only for accounts that were opened as somebody's demo, and
while somebody hears them: the first soon, for who has just come."""

import random

from simulator.accounts.bank import Bank
from simulator.accounts.records import SPOT, Account, Order
from simulator.accounts.refusals import Refusal
from simulator.amounts import UNIT

NAME = "demo of "
# Between two orders, and before the first of somebody who has just come, in ms.
PAUSE_MS, FIRST_MS = (45_000, 150_000), (15_000, 45_000)
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


class Trader:
    def __init__(self, bank: Bank, seed: int = 1) -> None:
        self.bank = bank
        self._rng = random.Random(f"trader {seed}")
        # uid -> when it trades next; what it has bought to sell again: symbol, quantity
        self._next: dict[int, int] = {}
        self._open: dict[int, tuple[str, int]] = {}

    def tick(self) -> None:
        now = self.bank.now_ms()
        for account in list(self.bank.accounts.values()):
            if not account.name.startswith(NAME):
                continue
            if not self.bank.listeners.get(account.uid):
                self._next.pop(account.uid, None)
                continue
            due = self._next.setdefault(account.uid, now + self._rng.randint(*FIRST_MS))
            if now >= due:
                self._next[account.uid] = now + self._rng.randint(*PAUSE_MS)
                self._trade(account)

    def _trade(self, account: Account) -> None:
        held = self._open.pop(account.uid, None)
        try:
            if held is not None:
                self._order(account, held[0], "SELL", held[1])
                return
            symbol = self._rng.choice(SYMBOLS)
            rules = self.bank.listed(SPOT, symbol).symbol.rules
            price = self.bank.last_price(SPOT, symbol)
            quantity = self._rng.randint(150, 700) * UNIT * UNIT // price // rules.step * rules.step
            if self._order(account, symbol, "BUY", quantity):
                self._open[account.uid] = symbol, quantity
        except Refusal:  # no money, no market: another time
            return

    def _order(self, account: Account, symbol: str, side: str, quantity: int) -> bool:
        now = self.bank.now_ms()
        order = Order(
            SPOT,
            symbol,
            self.bank.next_id(),
            f"demo{self.bank.next_id()}",
            side,
            "MARKET",
            "GTC",
            0,
            quantity,
            now,
            now,
        )
        return bool(self.bank.place(account, order))
