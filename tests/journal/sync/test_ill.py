"""Two accounts of which one is ill: the other one's events are kept, its trades built, its results
told, its streams heard."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError

from accounts.models import ExchangeAccount, User
from journal import live
from journal.books import rebuilding
from journal.models import Balance, Book, Fill, FuturesPosition, Sync, Trade
from journal.services import valuing
from journal.stream import events
from journal.stream.keeping import Keeper
from journal.stream.pricing import Pricing
from journal.stream.spot import SpotStream
from journal.sync.saving import save_fills
from market.services import listings
from tests.conftest import eventually
from tests.journal.accounts import make_account, make_fill, some_trades
from tests.journal.sync.stage import DemoExchange, aim, connect
from tests.journal.sync.test_stream import buy, heard
from tests.journal.sync.told import list_symbol
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(200)]

AT = 1_772_438_400_000
REPORT = {
    "e": "executionReport",
    "E": AT,
    "T": AT,
    "O": AT,
    "s": "BTCUSDT",
    "i": 1,
    "C": "",
    "c": "c",
    "S": "BUY",
    "o": "MARKET",
    "f": "GTC",
    "X": "FILLED",
    "x": "TRADE",
    "p": "0",
    "P": "0",
    "q": "1",
    "z": "1",
    "t": 7,
    "L": "100",
    "l": "1",
    "Y": "100",
    "n": "0",
    "N": "USDT",
    "m": False,
}
ORDER = {
    "e": "ORDER_TRADE_UPDATE",
    "E": AT,
    "T": AT,
    "o": {
        "s": "BTCUSDT",
        "i": 1,
        "c": "autoclose-1",
        "S": "SELL",
        "ps": "BOTH",
        "o": "LIQUIDATION",
        "f": "IOC",
        "X": "FILLED",
        "x": "CALCULATED",
        "p": "0",
        "q": "1",
        "z": "1",
        "T": AT,
        "t": 0,
        "L": "0",
        "l": "1",
        "n": "0",
        "N": "USDT",
        "rp": "0",
        "m": False,
    },
}
BAD = {
    "no number": {
        "e": "ACCOUNT_UPDATE",
        "E": AT,
        "a": {"m": "ORDER", "B": [{"a": "USDT", "wb": "", "cw": ""}], "P": []},
    },
    "wild time": {"e": "outboundAccountPosition", "E": 10**20, "B": []},
    "no list": {"e": "outboundAccountPosition", "E": AT, "B": 7},
    "nothing in it": {"e": "ORDER_TRADE_UPDATE", "E": AT, "o": None},
    "missing": {"e": "executionReport", "E": AT},
    "too large": {**REPORT, "l": "1e30"},
    "unknown coins": {**REPORT, "s": "WHATEVER"},
    "odd name": {"e": ["executionReport"], "E": AT},
}


def well(amount: str) -> dict[str, Any]:
    return {"e": "outboundAccountPosition", "E": AT, "B": [{"a": "USDT", "f": amount, "l": "0"}]}


@pytest.fixture
def ill(alice: User) -> ExchangeAccount:
    account = make_account(alice)
    Sync.objects.create(account=account)
    return account


@pytest.fixture
def sound(bob: User) -> ExchangeAccount:
    account = make_account(bob)
    Sync.objects.create(account=account)
    return account


def working(work: Callable[[Keeper], Coroutine[Any, Any, None]], *names: str) -> None:
    """The keeper's tasks run beside the test's own steps, and are still running at its end."""

    async def run() -> None:
        keeper = Keeper()
        tasks = [asyncio.create_task(getattr(keeper, name)()) for name in names]
        try:
            await work(keeper)
            assert not any(task.done() for task in tasks)
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await keeper.close()

    asyncio.run(run())


@pytest.mark.parametrize("event", BAD.values(), ids=BAD)
def test_a_bad_event_is_set_aside_and_the_next_one_kept(
    ill: ExchangeAccount, sound: ExchangeAccount, event: dict[str, Any]
) -> None:
    async def work(keeper: Keeper) -> None:
        keeper.hear(str(ill.pk), event)
        keeper.hear(str(sound.pk), well("5"))
        await eventually(lambda: keeper._database.run(_both_done, ill))

    working(work, "save")
    assert Balance.objects.get().account == sound
    assert not Fill.objects.exists()
    assert not Sync.objects.get(account=sound).is_due


def _both_done(ill: ExchangeAccount) -> bool:
    return Sync.objects.get(account=ill).is_due and Balance.objects.exists()


def test_bad_events_in_a_row_ask_for_everything_once(ill: ExchangeAccount) -> None:
    async def work(keeper: Keeper) -> None:
        keeper._ask_instead(str(ill.pk))
        await keeper._mark_due()
        await keeper._database.run(lambda: Sync.objects.update(whole_at="2026-01-01T00:00:00Z"))
        keeper._ask_instead(str(ill.pk))
        await keeper._mark_due()

    working(work)
    sync = Sync.objects.get()
    assert sync.is_due
    assert sync.whole_at is not None


def test_a_liquidation_without_its_fill_is_asked_for_at_once(ill: ExchangeAccount) -> None:
    list_symbol("usdm", "BTC", "USDT")
    heard_of = events.take(ill, ORDER)
    assert heard_of.needs_rest
    assert heard_of.fills == []
    assert Sync.objects.get().is_due
    told = events.take(ill, {**ORDER, "o": {**ORDER["o"], "t": 9, "L": "90"}})  # type: ignore[dict-item]
    assert [fill.trade_id for fill in told.fills] == [9]


def test_a_symbol_that_is_not_listed_yet_is_split_without_asking(
    ill: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    list_symbol("spot", "BTC", "USDT")
    monkeypatch.setattr("market.services.listings.refresh", lambda market: pytest.fail("asked"))
    [fill] = events.take(ill, {**REPORT, "s": "NEWUSDT"}).fills
    assert (fill.base, fill.quote) == ("NEW", "USDT")


@pytest.mark.parametrize("error", [ValueError("0E-12"), DataError("overflow")], ids=repr)
def test_ill_books_are_set_aside_and_the_others_built(
    ill: ExchangeAccount, sound: ExchangeAccount, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    save_fills(ill, [make_fill(ill, 1, "BUY", "100")])
    save_fills(sound, [make_fill(sound, 1, "BUY", "100")])
    tries = []

    def rebuild(account: ExchangeAccount) -> None:
        if account == ill:
            tries.append(account)
            raise error
        rebuilding.rebuild_due(account)

    monkeypatch.setattr(events, "rebuild", rebuild)

    async def work(keeper: Keeper) -> None:
        keeper._to_build |= {str(ill.pk), str(sound.pk)}
        await eventually(lambda: not keeper._to_build - {str(ill.pk)})
        await eventually(lambda: len(tries) == 2)  # again, after its pause
        assert keeper.parked.is_parked(str(ill.pk))

    working(work, "build")
    assert [trade.account for trade in Trade.objects.all()] == [sound]
    assert set(Book.objects.filter(built=0).values_list("account", flat=True)) == {ill.pk}
    assert len(tries) == 2


def test_results_are_told_though_somebody_elses_cannot_be(
    ill: ExchangeAccount, sound: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in (ill, sound):
        some_trades(account)
    real = valuing._valued

    def valued(row: Any, *more: Any) -> Any:
        if row.account_id == ill.pk:
            raise ArithmeticError("an ill row")
        return real(row, *more)

    told: list[int] = []
    monkeypatch.setattr(valuing, "_valued", valued)
    monkeypatch.setattr(valuing, "_last_told", {})
    monkeypatch.setattr(live, "listeners", lambda topic: {ill.user_id, sound.user_id})
    monkeypatch.setattr(live, "tell", lambda user, *more: told.append(user))

    async def run() -> None:
        pricing = Pricing(None)
        try:
            for _ in range(3):
                await pricing.tell_once()
        finally:
            await pricing.close()
        assert pricing.parked.is_parked(f"user {ill.user_id}")

    asyncio.run(run())
    assert told == [sound.user_id]  # once: nothing has moved since


def test_an_account_whose_spot_stream_is_refused_keeps_its_futures_stream(
    settings: Any, alice: User, bob: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SpotStream.subscribe

    async def subscribe(self: SpotStream, account: str) -> None:
        if account == names[0]:
            raise TimeoutError
        await real(self, account)

    monkeypatch.setattr(SpotStream, "subscribe", subscribe)
    with DemoExchange(has_demo=False).running() as exchange:
        aim(settings, exchange, tmp_path)
        opened = [exchange.open(), exchange.open()]
        accounts = [connect(user, key) for user, key in zip((alice, bob), opened, strict=True)]
        names = [str(account.pk) for account in accounts]
        for account in accounts:
            Sync.objects.create(account=account)
        for market in ("spot", "usdm"):
            listings.refresh(market)
        with heard() as streams:
            until(lambda: set(names) <= streams.futures_heard)
            until(lambda: bool(streams._spot and names[1] in streams._spot.accounts.values()))
            buy(exchange, opened[0], market="usdm")
            until(lambda: Fill.objects.filter(account=accounts[0], market="usdm").exists())
            buy(exchange, opened[1])
            until(lambda: Fill.objects.filter(account=accounts[1], market="spot").exists())
            assert streams._futures[names[0]].done() is False
        assert not FuturesPosition.objects.filter(account=accounts[1]).exists()
