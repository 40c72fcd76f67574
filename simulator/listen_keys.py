"""Futures' user streams: named by a key that its owner asks for and keeps alive."""

import json
import secrets
from collections.abc import Callable

from simulator.accounts.bank import Bank
from simulator.accounts.events import Event
from simulator.accounts.records import USDM
from simulator.accounts.refusals import Refusal

LISTEN_KEY_MS = 3_600_000


class ListenKeys:
    """One key a user, for sixty minutes."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.audience = bank.exchange.markets[USDM].audience
        self.uids: dict[str, int] = {}
        self.until: dict[str, int] = {}
        self._ends: dict[str, Callable[[], None]] = {}

    def start(self, uid: int) -> str:
        """The same key again while it lives, extended."""
        for name, owner in self.uids.items():
            if owner == uid and self.until[name] > self.bank.now_ms():
                self.until[name] = self.bank.now_ms() + LISTEN_KEY_MS
                return name
        name = secrets.token_hex(32)
        self.uids[name], self.until[name] = uid, self.bank.now_ms() + LISTEN_KEY_MS

        def hear(market: str, event: Event) -> None:
            if market == USDM and self.until[name] > self.bank.now_ms():
                text = json.dumps(event, separators=(",", ":"))
                self.audience.say(name, lambda scale: text)

        self._ends[name] = self.bank.listen(uid, hear)
        return name

    def tick(self) -> None:
        """An hour after the last word of its owner a key is over, and its stream says so."""
        now = self.bank.now_ms()
        for name in [name for name, until in self.until.items() if until <= now]:
            del self.until[name], self.uids[name]
            self._ends.pop(name)()
            text = json.dumps({"e": "listenKeyExpired", "E": now, "listenKey": name})
            self.audience.say(name, lambda scale, text=text: text)  # type: ignore[misc]

    def extend(self, uid: int) -> str:
        """Raises Refusal."""
        for name, owner in self.uids.items():
            if owner == uid and self.until[name] > self.bank.now_ms():
                return self.start(uid)
        raise Refusal(-1125, "This listenKey does not exist.")

    def end(self, uid: int) -> None:
        for name in [name for name, owner in self.uids.items() if owner == uid]:
            self.until[name] = 0
