"""The dead man's switch of USD-M: open orders of a symbol go when its owner falls silent.
Source: POST /fapi/v1/countdownCancelAll."""

from collections.abc import Callable

from simulator.accounts.records import USDM, Account, Order


class Countdowns:
    """Ends are epoch ms; they do not survive a restart, as connections do not either."""

    def __init__(self, cancel: Callable[[Account, Order], None]) -> None:
        self._cancel = cancel
        self._ends: dict[tuple[int, str], tuple[Account, int]] = {}

    def start(self, account: Account, symbol: str, now_ms: int, countdown_ms: int) -> None:
        """0 stops it."""
        if countdown_ms:
            self._ends[account.uid, symbol] = account, now_ms + countdown_ms
        else:
            self._ends.pop((account.uid, symbol), None)

    def tick(self, now_ms: int) -> None:
        for (uid, symbol), (account, ends) in list(self._ends.items()):
            if ends > now_ms:
                continue
            del self._ends[uid, symbol]
            for order in account.open_orders(USDM):
                if order.symbol == symbol:
                    self._cancel(account, order)
