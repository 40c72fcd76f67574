"""User streams over real sockets: fills in PostgreSQL at once, whatever is lost or told twice."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection

from accounts.models import ExchangeAccount, User
from journal.books import comparing
from journal.models import (
    Balance,
    Difference,
    Fill,
    FuturesPosition,
    OpenPosition,
    Order,
    Sync,
    Trade,
)
from journal.stream import listening
from journal.stream.listening import Listening
from journal.sync.running import synchronise
from market.jobs import lease
from tests.journal.sync.stage import DemoExchange, aim, connect, trade
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]


@pytest.fixture
def exchange() -> Iterator[DemoExchange]:
    with DemoExchange(has_demo=False).running() as running:
        yield running


@pytest.fixture
def account(
    exchange: DemoExchange, settings: Any, alice: User, tmp_path: Path
) -> tuple[ExchangeAccount, dict[str, Any]]:
    aim(settings, exchange, tmp_path)
    opened = exchange.open()
    made = connect(alice, opened)
    assert synchronise(str(made.pk))
    return made, opened


@contextmanager
def heard() -> Iterator[Listening]:
    """The user streams in a thread of their own, connected."""
    over = threading.Event()
    holder = lease.new_holder()
    assert lease.acquire(listening.share(), holder)
    made: list[Listening] = []

    async def run() -> None:
        made.append(Listening(holder, over.is_set))
        await made[0].run()

    def work() -> None:
        try:
            asyncio.run(run())
        finally:
            connection.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    until(lambda: bool(made) and made[0]._spot is not None and bool(made[0]._spot.accounts))
    until(lambda: bool(made[0].futures_heard))
    try:
        yield made[0]
    finally:
        over.set()
        thread.join(20)
        lease.release(listening.share(), holder)


def buy(exchange: DemoExchange, opened: dict[str, Any], **more: Any) -> dict[str, Any]:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01", **more}
    return trade(exchange, opened, **order)


def test_a_fill_is_kept_at_once_and_becomes_a_trade(
    exchange: DemoExchange, account: tuple[ExchangeAccount, dict[str, Any]]
) -> None:
    made, opened = account
    pubsub = redis.Redis.from_url(django_settings.REDIS_URL).pubsub()  # type: ignore[no-untyped-call]
    pubsub.psubscribe("*account:*")
    with heard():
        buy(exchange, opened)
        until(lambda: Fill.objects.filter(account=made, market="spot").exists())
        until(lambda: Trade.objects.filter(account=made, market="spot").exists())
        assert Fill.objects.filter(source="stream").exists()
        until(lambda: Order.objects.filter(account=made, status="FILLED").exists())
        until(lambda: Balance.objects.filter(account=made, wallet="spot", asset="BTC").exists())
        held = Balance.objects.filter(account=made, wallet="spot", asset="BTC")
        # an order of several fills is a position that grows
        position = OpenPosition.objects.filter(account=made, base="BTC")
        until(lambda: [held.get().free] == [row.quantity for row in position.all()])
        buy(exchange, opened, market="usdm")
        until(lambda: Fill.objects.filter(account=made, market="usdm").exists())
    texts = [
        m["data"].decode()
        for m in iter(lambda: pubsub.get_message(timeout=0.2), None)
        if m["type"] == "pmessage"
    ]
    assert any('"kind":"fill"' in text for text in texts)
    assert not any(opened["secretKey"] in text for text in texts)
    pubsub.close()


@pytest.mark.parametrize("fault", ["user_lost", "user_double"])
def test_lost_and_doubled_events_change_nothing_in_the_result(
    exchange: DemoExchange, account: tuple[ExchangeAccount, dict[str, Any]], fault: str
) -> None:
    made, opened = account
    fills = Fill.objects.filter(account=made)
    with heard():
        exchange.fault(fault, rate=0.7, seconds=60)
        for side in ("BUY", "BUY", "SELL", "BUY"):
            buy(exchange, opened, side=side)
            buy(exchange, opened, side=side, market="usdm")
        exchange.end_faults()
        last = [buy(exchange, opened, market=market)["orderId"] for market in ("spot", "usdm")]
        # events are kept in their order: those before have come, or never will
        until(lambda: set(last) <= set(fills.values_list("order_id", flat=True)))
    synchronise(str(made.pk))
    truth = exchange.truth(opened["uid"])
    for market in ("spot", "usdm"):
        found = Fill.objects.filter(account=made, market=market)
        assert found.count() == truth["fills"][market]
    comparing.compare(made)
    off = Difference.objects.exclude(cause="").values_list("wallet", "asset", "cause")
    assert list(off) == []


def test_a_cut_is_healed_by_rest(
    exchange: DemoExchange, account: tuple[ExchangeAccount, dict[str, Any]]
) -> None:
    made, opened = account
    with heard() as streams:
        first = streams._spot
        exchange.ask("POST", "/simulator/cut")
        buy(exchange, opened)
        until(lambda: streams._spot is not None and streams._spot is not first)
        until(lambda: bool(streams._spot and streams._spot.accounts))
        made.refresh_from_db()
        until(lambda: Sync.objects.get(account=made).is_due)
        synchronise(str(made.pk))
        assert (
            Fill.objects.filter(account=made).count()
            == exchange.truth(opened["uid"])["fills"]["spot"]
        )
        count = Fill.objects.count()
        buy(exchange, opened)  # the new connection hears
        until(lambda: Fill.objects.count() > count, 5)


def test_an_open_futures_position_is_known_with_its_terms(
    exchange: DemoExchange, account: tuple[ExchangeAccount, dict[str, Any]]
) -> None:
    made, opened = account
    buy(exchange, opened, market="usdm", quantity="0.05")
    synchronise(str(made.pk))
    row = FuturesPosition.objects.get(account=made)
    assert row.leverage == 20
    assert row.mark_price > 0
    assert 0 < row.liquidation_price < row.entry_price
    trade_row = Trade.objects.get(account=made, market="usdm")
    assert trade_row.is_open
    assert trade_row.direction == "LONG"
