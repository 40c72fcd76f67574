"""An exchange that answers a run's questions from what a test says, and remembers them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils import timezone

from accounts.models import ExchangeAccount
from journal.models import Sync
from journal.sync.run import Run
from market.models import Listing

# parameters -> JSON
Answer = Callable[[dict[str, Any]], Any]


class Told:
    """Answers by path; a path that nobody has an answer for fails the test."""

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def on(self, path: str, answer: Answer) -> "Told":
        self.answers[path] = answer
        return self

    def read(self, path: str, **params: Any) -> Any:
        self.asked.append((path, params))
        return self.answers[path](params)

    read_once = read_if_room = read

    def download(self, address: str) -> bytes:
        self.asked.append((address, {}))
        body: bytes = self.answers[address]({})
        return body

    def pause(self, seconds: float, note: str) -> None:
        """Nobody waits in a test."""

    def exchange_now(self) -> datetime:
        return timezone.now()

    def of(self, path: str) -> list[dict[str, Any]]:
        return [params for name, params in self.asked if name == path]


def run_of(account: ExchangeAccount, exchange: Told) -> Run:
    """A run that asks the exchange of the test."""
    Sync.objects.update_or_create(account=account, defaults={"holder": "me"})
    run = Run(account, "me", lambda: False)
    run.reader = exchange  # type: ignore[assignment]
    run.listings = {
        market: {row.symbol: row for row in Listing.objects.filter(market=market)}
        for market in ("spot", "usdm")
    }
    return run


def list_symbol(market: str, base: str, quote: str, status: str = "TRADING") -> None:
    Listing.objects.create(
        venue="simulator",
        market=market,
        symbol=base + quote,
        base_asset=base,
        quote_asset=quote,
        status=status,
        tick_size=0,
        step_size=0,
        min_notional=0,
        refreshed_at=timezone.now(),
    )


def spot_row(number: int, symbol: str = "BTCUSDT", time_ms: int = 1_772_438_400_000) -> Any:
    """A fill as myTrades tells it; a minute a number."""
    return {
        "symbol": symbol,
        "id": number,
        "orderId": number,
        "price": "100",
        "qty": "1",
        "quoteQty": "100",
        "commission": "0",
        "commissionAsset": "USDT",
        "isBuyer": True,
        "isMaker": False,
        "time": time_ms + number * 60_000,
    }


def usdm_row(number: int, symbol: str, time_ms: int) -> Any:
    """A fill as userTrades tells it."""
    return {
        "symbol": symbol,
        "id": number,
        "orderId": number,
        "price": "100",
        "qty": "1",
        "quoteQty": "100",
        "commission": "0",
        "commissionAsset": "USDT",
        "side": "BUY",
        "positionSide": "BOTH",
        "realizedPnl": "0",
        "maker": False,
        "time": time_ms,
    }
