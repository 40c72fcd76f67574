"""The demo's year, read through the real adapter from the simulator, against its own truth."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from journal.books.due import make_due
from journal.models import Coverage, Difference, Fill, Income, Sync, Trade
from journal.sync.running import synchronise
from tests.journal.sync.stage import DemoExchange, aim, connect

# a thread of its own renews the lease: it has to see the row
pytestmark = pytest.mark.django_db(transaction=True)

# no file of the exchange tells what it has forgotten of these
UNTOLD = ("orders", "conditional")


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoExchange]:
    with DemoExchange().running() as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_reaches_complete_with_nothing_but_the_forgotten_purchase_missing(
    exchange: DemoExchange, settings: Any, alice: User, tmp_path: Path
) -> None:
    aim(settings, exchange, tmp_path)
    demo = exchange.demo
    account = connect(alice, demo)
    earlier = exchange.truth(demo["uid"])
    assert synchronise(str(account.pk))
    truth = exchange.truth(demo["uid"])
    if truth["income"] != earlier["income"]:  # funding was settled meanwhile: at 0, 8 and 16 h
        assert synchronise(str(account.pk))
    assert Sync.objects.get().state == "complete", Sync.objects.get().note_values
    assert not Coverage.objects.filter(is_complete=False).exists()
    lost = len(truth["forgotten"])
    assert Fill.objects.filter(market="spot").count() == truth["fills"]["spot"] - lost
    assert Fill.objects.filter(market="usdm").count() == truth["fills"]["usdm"]
    for kind, amount in truth["income"].items():
        assert Income.objects.filter(kind=kind).aggregate(s=Sum("amount"))["s"] == D(amount), kind
    off = {row.asset: row for row in Difference.objects.exclude(cause="")}
    [forgotten] = {f["symbol"] for f in truth["forgotten"]}
    base = forgotten.removesuffix("USDT")
    assert set(off) == {base, "USDT", "BNB"}
    assert off[base].cause == off["USDT"].cause == "missing_trade"
    assert off["BNB"].cause == "missing_fee"
    assert off[base].reported - off[base].calculated == sum(
        D(f["quantity"]) for f in truth["forgotten"]
    )
    assert Trade.objects.closed().count() > 200
    futures = Trade.objects.filter(market="usdm").aggregate(
        gross=Sum("gross"), funding=Sum("funding"), exchange=Sum("exchange_realized")
    )
    assert futures["exchange"] == D(truth["income"]["REALIZED_PNL"])
    assert futures["funding"] == D(truth["income"]["FUNDING_FEE"])
    before = Fill.objects.count(), Trade.objects.count()
    assert synchronise(str(account.pk))
    assert (Fill.objects.count(), Trade.objects.count()) == before
    # --- futures that nobody read for a hundred days: the exchange's file tells the rest
    _forget_futures(timezone.now() - timedelta(days=100), timezone.now() - timedelta(days=89))
    assert (Fill.objects.count(), Trade.objects.count()) != before
    assert synchronise(str(account.pk))
    assert not Coverage.objects.exclude(holes=[]).exclude(kind__in=UNTOLD).exists()
    assert (Fill.objects.count(), Trade.objects.count()) == before


def _forget_futures(last_read: datetime, forgotten_until: datetime) -> None:
    """As if reading had stopped then, and the exchange had forgotten what came next."""
    stretch = {"time__gte": last_read, "time__lt": forgotten_until}
    fills = Fill.objects.filter(market="usdm", **stretch)
    make_due(fills[0].account, {("usdm", fill.symbol) for fill in fills})
    fills.delete()
    Income.objects.filter(**stretch).delete()
    Coverage.objects.filter(market="usdm").update(to_time=last_read)
    Sync.objects.update(whole_at=None, older_after=None)
