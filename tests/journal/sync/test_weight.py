"""What reading costs of the budget that all accounts of one address share: measured on one account,
for two hundred of them."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.conf import settings as django_settings
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.models import Difference, Fill, Market, Order, Sync
from journal.sync.running import synchronise
from market.binance.budgets import WEIGHTS_A_MINUTE, hosts
from market.binance.governor import SHARES, Governor
from tests.journal.sync.stage import DemoExchange, aim, connect, trade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

COINS = ("BTC", "ETH", "BNB", "SOL", "XRP", "ADA")
SYMBOLS = tuple(f"{coin}USDT" for coin in COINS)
USERS = 200
# Of an active user: an hour with trades on one contract and one pair, told by the streams.
CALLED_AN_HOUR, BY_ITSELF_AN_HOUR, WHOLE_A_DAY = 4, 1, 1


class Exchange(DemoExchange):
    symbols: ClassVar[dict[str, tuple[str, ...]]] = {"spot": SYMBOLS, "usdm": SYMBOLS}


@pytest.fixture
def exchange() -> Iterator[DemoExchange]:
    with Exchange(has_demo=False).running() as running:
        yield running


@pytest.fixture
def spent(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """The weight that was reserved, by budget."""
    counted: Counter[str] = Counter()
    reserve = Governor.reserve

    async def count(self: Governor, weight: int, kind: str, patience: float) -> None:
        counted[self.limit.host] += weight
        await reserve(self, weight, kind, patience)

    monkeypatch.setattr(Governor, "reserve", count)
    return counted


def buy(exchange: DemoExchange, opened: dict[str, Any], market: str, symbol: str) -> None:
    trade(
        exchange, opened, market=market, symbol=symbol, side="BUY", type="MARKET", quantity=D("0.1")
    )


def told(account: ExchangeAccount, market: str, symbol: str) -> None:
    """As the stream would say it: an order of the symbol changed, and REST is to be asked."""
    Order.objects.create(
        account=account,
        market=market,
        symbol=symbol,
        order_id=10**9,
        side="BUY",
        type="MARKET",
        status="FILLED",
        price=D(0),
        stop_price=D(0),
        quantity=D("0.1"),
        executed=D("0.1"),
        time=timezone.now(),
        changed_at=timezone.now(),
    )
    Sync.objects.filter(account=account).update(is_due=True)


def test_two_hundred_active_users_fit_one_address(
    exchange: DemoExchange, settings: Any, alice: User, tmp_path: Path, spent: Counter[str]
) -> None:
    aim(settings, exchange, tmp_path)
    opened = exchange.open()
    for symbol in SYMBOLS:
        buy(exchange, opened, "spot", symbol)
        buy(exchange, opened, "usdm", symbol)
    account = connect(alice, opened)
    pk = str(account.pk)
    spent.clear()
    assert synchronise(pk)
    whole = Counter(spent)
    assert Fill.objects.count() >= 2 * len(SYMBOLS)

    spent.clear()
    assert synchronise(pk)
    by_itself = Counter(spent)

    buy(exchange, opened, "spot", "ETHUSDT")
    buy(exchange, opened, "usdm", "SOLUSDT")
    told(account, Market.SPOT, "ETHUSDT")
    told(account, Market.USDM, "SOLUSDT")
    before = Fill.objects.count()
    spent.clear()
    assert synchronise(pk)
    called = Counter(spent)
    assert Fill.objects.count() >= before + 2
    assert [str(row) for row in Difference.objects.all() if row.difference] == []

    part_of = {host: part for part, host in hosts().items()}
    for host, part in part_of.items():
        an_hour = CALLED_AN_HOUR * called[host] + BY_ITSELF_AN_HOUR * by_itself[host]
        a_minute = USERS * (an_hour / 60 + WHOLE_A_DAY * whole[host] / 1440)
        budget = WEIGHTS_A_MINUTE[part] * 80 / 100 * SHARES["account"]
        assert a_minute <= budget, (part, dict(whole), dict(by_itself), dict(called))
    assert settings.WEIGHT_BUDGET_PCT == django_settings.WEIGHT_BUDGET_PCT


def test_a_fill_that_no_stream_told_is_found_by_the_balance(
    exchange: DemoExchange, settings: Any, alice: User, tmp_path: Path
) -> None:
    aim(settings, exchange, tmp_path)
    opened = exchange.open()
    for symbol in SYMBOLS:
        buy(exchange, opened, "spot", symbol)
    account = connect(alice, opened)
    assert synchronise(str(account.pk))
    before = Fill.objects.count()
    for symbol in SYMBOLS:  # none of them is told, and three have their turn
        buy(exchange, opened, "spot", symbol)
    assert synchronise(str(account.pk))
    assert Fill.objects.count() >= before + len(SYMBOLS)
    assert [str(row) for row in Difference.objects.all() if row.difference] == []


def test_money_that_came_without_an_order_is_found_though_nothing_else_moved(
    exchange: DemoExchange, settings: Any, alice: User, tmp_path: Path
) -> None:
    aim(settings, exchange, tmp_path)
    opened = exchange.open()
    account = connect(alice, opened)
    assert synchronise(str(account.pk))
    exchange.ask(
        "POST",
        f"/simulator/accounts/{opened['uid']}/move",
        market="spot",
        asset="USDT",
        amount="77",
    )
    Sync.objects.update(is_due=True)  # the stream has said that a balance moved
    assert synchronise(str(account.pk))
    assert [str(row) for row in Difference.objects.all() if row.difference] == []
