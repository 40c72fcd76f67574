"""Orders with repeats while everything around them breaks; then every one is looked for at the
exchange. Used by `make chaos-orders ORDERS=n` and, small, by the suite."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection

from accounts.models import ExchangeAccount
from tests.accounts.exchange import AccountExchange
from tests.lines import Killed, hang_up, kill, run_traced
from tests.trading.stage import truth
from trading.errors import TradingError
from trading.models import OrderIntent
from trading.services import cancelling, placing, resolving

WORKERS = 6
PARTS = (
    "trading/services/sending",
    "trading/services/placing",
    "trading/services/settling",
    "trading/services/resolving",
    "trading/services/following",
)
State = OrderIntent.State
# Nothing may be unknown so long after the last fault.
SETTLES_SECONDS = 90.0


@dataclass
class Report:
    asked: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    states: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def text(self) -> str:
        return "\n".join(
            [
                f"{self.asked} requests, answers {dict(self.answers)}",
                f"faults {dict(self.faults)}, {self.kills} workers killed",
                f"intents {dict(self.states)}, {len(self.wrong)} wrong",
                *self.wrong[:20],
            ]
        )


class Campaign:
    def __init__(
        self, exchange: AccountExchange, accounts: list[ExchangeAccount], orders: int, seed: int
    ) -> None:
        self.exchange = exchange
        self.accounts = accounts
        self.orders = orders
        self.rng = random.Random(seed)
        self.report = Report()
        self._next = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()

    def run(self) -> Report:
        helpers = [threading.Thread(target=act) for act in (self._break, self._resolve)]
        workers = [threading.Thread(target=self._work, args=(n,)) for n in range(WORKERS)]
        for thread in [*helpers, *workers]:
            thread.start()
        for thread in workers:
            thread.join()
        self._ended.set()
        for thread in helpers:
            thread.join()
        self._settle()
        self._compare()
        return self.report

    # --- what is asked for ----------------------------------------------------------------------

    def _work(self, number: int) -> None:
        rng = random.Random(self.rng.random())
        try:
            while (turn := self._turn()) is not None:
                account = rng.choice(self.accounts)
                body = wanted(account, rng)
                # a click, a second one, a repetition by the network: the same key
                for _ in range(rng.choice((1, 1, 2, 3))):
                    self._place(account, f"{number}-{turn}", body, rng)
        finally:
            connection.close()

    def _turn(self) -> int | None:
        with self._lock:
            self._next += 1
            return self._next if self._next <= self.orders else None

    def _place(self, account: ExchangeAccount, key: str, body: Any, rng: random.Random) -> None:
        def ask() -> None:
            done = placing.place(user=account.user, key=key, body=body, by="campaign")
            self._count(f"{done.status} {done.body['state']}")
            if done.status == 201 and rng.random() < 0.2:
                intent = OrderIntent.objects.select_related("account").get(pk=done.body["id"])
                cancelling.cancel_intent(intent)

        try:
            if rng.random() < 0.3:
                run_traced(rng.choice(PARTS), rng.randint(1, 90), kill, ask)
            else:
                ask()
        except Killed:
            self.report.kills += 1
            hang_up(0)
            connection.close()
        except TradingError as error:
            self._count(f"{error.status} {error.code}")
        except DatabaseError as error:
            self._count(f"{type(error).__name__}: {str(error).strip()[:70]}")
            connection.close()

    def _count(self, answer: str) -> None:
        with self._lock:
            self.report.asked += 1
            self.report.answers[answer] += 1

    # --- what breaks ----------------------------------------------------------------------------

    def _break(self) -> None:
        rng = random.Random(self.rng.random())
        while not self._ended.wait(0.4):
            what = rng.choice(("status", "status", "cut", "hang", "delay", "hidden", "none"))
            if what == "none":
                continue
            when = rng.choice(("before", "after"))
            self.report.faults[f"{what} {when}"] += 1
            if what == "hidden":
                self.exchange.post("/simulator/faults/order_hidden", ms=2500, seconds=1)
                continue
            more = (
                {"code": rng.choice((500, 502, 503, 504)), "error": 1007}
                if (what == "status")
                else {"ms": rng.choice((500, 2500))}
                if what == "delay"
                else {}
            )
            self.exchange.post(
                "/simulator/faults/order", what=what, when=when, rate=0.5, seconds=1, **more
            )

    def _resolve(self) -> None:
        """The worker that finds out, killed now and then at any line."""
        rng = random.Random(self.rng.random())
        try:
            while not self._ended.wait(0.2):
                try:
                    if rng.random() < 0.3:
                        run_traced(
                            rng.choice(PARTS), rng.randint(1, 200), kill, resolving.resolve_once
                        )
                    else:
                        resolving.resolve_once()
                except Killed:
                    self.report.kills += 1
                    connection.close()
        finally:
            connection.close()

    # --- what came of it ------------------------------------------------------------------------

    def _settle(self) -> None:
        deadline = time.monotonic() + SETTLES_SECONDS
        while OrderIntent.objects.filter(
            state__in=[State.WRITTEN, State.SENT, State.UNKNOWN]
        ).exists():
            if time.monotonic() > deadline:
                break
            resolving.resolve_once()
            threading.Event().wait(0.2)

    def _compare(self) -> None:
        there: dict[str, Any] = {}
        for account in self.accounts:
            there |= truth(account, self.exchange)
        names: set[str] = set()
        for intent in OrderIntent.objects.all():
            self.report.states[intent.state] += 1
            names |= {intent.client_id, *intent.request["ids"].values()}
            self._check(intent, there)
        for name in set(there) - names:
            self.report.wrong.append(f"{name} is at the exchange and nobody wanted it")

    def _check(self, intent: OrderIntent, there: dict[str, Any]) -> None:
        """`truth` itself fails where an id stands twice."""
        is_there = resolving.client_id_of(intent) in there
        known = {State.ACCEPTED: True, State.REFUSED: False, State.EXPIRED: False}
        expected = known.get(State(intent.state))
        story = f"{intent.client_id} {intent.history}"
        if expected is None:
            self.report.wrong.append(f"still unknown: {story}")
        elif expected != is_there:
            self.report.wrong.append(f"said {intent.state}, is there {is_there}: {story}")
        sent = [line["at"] for line in intent.history if line["state"] == State.SENT]
        if len(sent) > 1:
            self.report.wrong.append(f"sent {len(sent)} times: {story}")
        made_ms = intent.made_at.timestamp() * 1000
        if sent and sent[0] - made_ms > 10_500:
            self.report.wrong.append(f"stale when it was sent: {story}")


def wanted(account: ExchangeAccount, rng: random.Random) -> dict[str, Any]:
    """Every way that an order goes: spot, futures, a list, a conditional one, one with a stop."""
    market = rng.choice(("spot", "usdm", "usdm"))
    base = {"account": str(account.pk), "market": market, "symbol": "BTCUSDT", "side": "BUY"}
    kind = rng.choice(("ioc", "ioc", "market", "stop", "rest"))
    if kind == "ioc":
        price = "50000" if market == "spot" else "94000"
        return {
            **base,
            "type": "LIMIT",
            "price": price,
            "quantity": "0.001",
            "time_in_force": "IOC",
        }
    if kind == "market":
        return {**base, "type": "MARKET", "quantity": "0.001"}
    if kind == "stop":
        risk = {"stop": "48000"} if market == "spot" else {"stop": "80000"}
        if market == "spot":
            return {
                **base,
                "type": "LIMIT",
                "price": "50000",
                "quantity": "0.001",
                "risk": risk,
                "targets": ["60000"],
            }
        return {**base, "type": "MARKET", "quantity": "0.001", "risk": risk}
    if market == "spot":
        return {**base, "type": "LIMIT_MAKER", "price": "50000", "quantity": "0.001"}
    return {
        **base,
        "side": "SELL",
        "type": "STOP_MARKET",
        "stop_price": "80000",
        "quantity": "0.001",
        "reduce_only": True,
    }
