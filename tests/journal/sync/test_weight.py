"""What accounts cost whose history is read: two hundred of them have to fit half of the limits of
one address, beside charts, flow and orders."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts import tasks as account_tasks
from accounts.models import User
from accounts.services import connecting
from journal import tasks
from journal.models import Sync
from journal.sync.running import WHOLE_AGAIN_AFTER, synchronise
from simulator import limits
from simulator.limits import WEIGHT_A_MINUTE
from simulator.rest import gate
from tests.journal.accounts import make_account
from tests.journal.sync.stage import SPOT, USDM, DemoExchange, aim, connect, trade

USERS = 200
# of the exchange's limit, for all that is read of them by itself
SHARE = 0.5
CHECKS_AN_HOUR = 12
QUANTITIES = {"BTCUSDT": "0.002", "ETHUSDT": "0.02", "SOLUSDT": "1", "BNBUSDT": "0.1"}
TAKEN: Counter[str] = Counter()


class Weighed(limits.Weights):
    """The simulator's own count, added up by market."""

    def __init__(self, market: str, *args: Any) -> None:
        super().__init__(market, *args)
        self._market = market

    def take(self, weight: int) -> limits.Refused | None:
        TAKEN[self._market] += weight
        return super().take(weight)


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoExchange]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "Weights", Weighed)
        with DemoExchange(has_demo=False).running() as running:
            yield running


def weight_of(act: Callable[[], object]) -> Counter[str]:
    TAKEN.clear()
    act()
    return Counter(TAKEN)


@pytest.mark.django_db(transaction=True)
def test_two_hundred_heard_accounts_fit_half_of_the_limits(
    exchange: DemoExchange, settings: Any, alice: User, tmp_path: Path
) -> None:
    """Each trades on four symbols of spot and two of futures."""
    aim(settings, exchange, tmp_path)
    opened = exchange.open()
    for market, symbols in (("spot", SPOT), ("usdm", USDM)):
        for symbol in symbols:
            order = {"side": "BUY", "type": "MARKET", "quantity": QUANTITIES[symbol]}
            trade(exchange, opened, market=market, symbol=symbol, **order)
    account = connect(alice, opened)
    name = str(account.pk)
    assert synchronise(name)
    rights = weight_of(lambda: connecting.check_rights(name))
    whole_look = weight_of(lambda: connecting.check(name))
    recent = weight_of(lambda: synchronise(name))
    Sync.objects.update(whole_at=None)
    whole = weight_of(lambda: synchronise(name))
    assert Sync.objects.get().state == "complete", Sync.objects.get().note_values
    hours = tasks.AGAIN_AFTER / timedelta(hours=1)
    days = WHOLE_AGAIN_AFTER / timedelta(days=1)
    for market in ("spot", "usdm"):
        an_hour = CHECKS_AN_HOUR * rights[market] + recent[market] / hours
        an_hour += (whole_look[market] + whole[market] / days) / 24
        share = USERS * an_hour / 60 / WEIGHT_A_MINUTE[market]
        assert share < SHARE, (market, share, rights, whole_look, recent, whole)
        assert recent[market] < whole[market]
    assert rights["spot"] * 20 < whole_look["spot"]


@pytest.mark.django_db
def test_who_is_heard_is_asked_seldom_and_who_is_not_often(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    names: dict[str, str] = {}
    for label, finished, heard in (
        ("heard", 15, 0.5),
        ("heard long ago", 15, 10),
        ("never heard", 15, None),
        ("never heard, just read", 5, None),
        ("heard, and an hour old", 61, 0.5),
    ):
        account = make_account(alice, label)
        Sync.objects.create(
            account=account,
            state="complete",
            finished_at=now - timedelta(minutes=finished),
            heard_at=None if heard is None else now - timedelta(minutes=heard),
        )
        names[str(account.pk)] = label
    asked: list[str] = []
    monkeypatch.setattr(
        tasks.synchronise_account,
        "apply_async",
        lambda args, **more: asked.append(names[args[0]]),
    )
    monkeypatch.setattr(tasks.listen, "apply_async", lambda **more: None)
    tasks.supervise()
    assert sorted(asked) == ["heard long ago", "heard, and an hour old", "never heard"]


@pytest.mark.django_db
def test_everything_of_a_live_account_is_looked_at_once_a_day(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    names: dict[str, str] = {}
    for label, state, looked_at in (
        ("today", "live", now - timedelta(hours=2)),
        ("yesterday", "live", now - timedelta(hours=25)),
        ("never", "live", None),
        ("stale", "stale", now),
    ):
        account = make_account(alice, label)
        account.state, account.looked_at = state, looked_at
        account.save()
        names[str(account.pk)] = label
    asked: dict[str, bool] = {}
    monkeypatch.setattr(
        account_tasks.check_account,
        "apply_async",
        lambda args, **more: asked.update({names[args[0]]: args[1]}),
    )
    account_tasks.check_accounts()
    assert asked == {"today": True, "yesterday": False, "never": False, "stale": False}
