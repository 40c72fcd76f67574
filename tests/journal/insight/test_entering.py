"""What was known at the first entry: large orders, the swing of the market, the order's kind."""

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.insight.entering import at_entries
from journal.metrics.traits import AtEntry
from journal.models import Fill, FillFlow, Order, Trade
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, make_fill, trades_of
from tests.journal.insight.tapes import NOON, computed, lay
from tests.journal.test_reports import rows_of

pytestmark = pytest.mark.django_db
BANDS = {"<100": "0", "100-1k": "-90000", "1k-10k": "0", "10k-100k": "0"}


def one_trade(user: User, direction: str = "BUY", **more: Any) -> tuple[ExchangeAccount, Trade]:
    account = make_account(user)
    other = "SELL" if direction == "BUY" else "BUY"
    trades_of(
        account,
        make_fill(account, 1, direction, "100", time=NOON + timedelta(seconds=30), **more),
        make_fill(account, 2, other, "101", time=NOON + timedelta(minutes=3), **more),
    )
    return account, Trade.objects.get()


def flow(large: str | None, *, million: str = "0", window: str = "1m") -> None:
    """Of the entry: 1,000,000 traded by takers in the window, of which large ones were so much."""
    bands = None if large is None else {**BANDS, "100k-1M": large, ">=1M": million}
    windows = {window: {"buy": "600000", "sell": "400000", "delta": "200000", "bands": bands}}
    FillFlow.objects.update_or_create(
        fill=Fill.objects.get(trade_id=1),
        defaults={"windows": windows, "stamped_at": timezone.now()},
    )


def known(user: User) -> AtEntry:
    return at_entries(rows_of(user))[Trade.objects.get().pk]


def test_large_orders_are_seen_from_the_entrys_side(alice: User) -> None:
    """A tenth of what takers traded is clear; the sign is the entry's."""
    one_trade(alice)
    flow("60000", million="40000")
    assert known(alice).large == "with"
    flow("60000", million="-160000")
    assert known(alice).large == "against"
    flow("99999")
    assert known(alice).large == "level"
    Fill.objects.filter(trade_id=1).update(side="SELL")
    flow("100000")
    assert known(alice).large == "against"


def test_five_minutes_tell_it_where_one_minute_does_not(alice: User) -> None:
    one_trade(alice)
    flow("-100000", window="5m")
    assert known(alice).large == "against"


def test_without_sizes_nothing_is_said_of_large_orders(alice: User) -> None:
    one_trade(alice)
    assert known(alice).large == ""
    flow(None)
    assert known(alice).large == ""


def test_the_swing_is_of_the_quarter_of_an_hour_before(
    alice: User, make_instrument: MakeInstrument
) -> None:
    """100 but for 99 and 102 within it; what came in its own minute, or before, does not count."""

    def shape(number: int) -> dict[str, Any]:
        return {"close": {-950: 50, -800: 99, -20: 102, 5: 200}.get(number, 100)}

    lay(make_instrument(), shape, before=1200)
    one_trade(alice)
    assert known(alice).swing == pytest.approx(3 / 99)


def test_a_hole_in_the_tape_leaves_the_swing_unknown(
    alice: User, make_instrument: MakeInstrument
) -> None:
    lay(make_instrument(), lambda _number: {}, before=600)
    one_trade(alice)
    assert known(alice).swing is None


def make_order(account: ExchangeAccount, kind: str, original: str = "") -> None:
    Order.objects.all().delete()
    Order.objects.create(
        account=account,
        market="spot",
        symbol="BTCUSDT",
        order_id=1,
        client_id="own",
        side="BUY",
        type=kind,
        original_type=original,
        status="FILLED",
        price=D(100),
        quantity=D(1),
        executed=D(1),
        time=NOON,
        changed_at=NOON,
    )


def test_the_kind_is_that_of_the_order_that_was_placed(alice: User) -> None:
    account, _trade = one_trade(alice)
    assert known(alice).order == ""
    for kind, original, told in (
        ("MARKET", "", "market"),
        ("LIMIT_MAKER", "", "limit"),
        ("STOP_LOSS_LIMIT", "", "conditional"),
        ("MARKET", "STOP_MARKET", "conditional"),
        ("SOMETHING_NEW", "", ""),
    ):
        make_order(account, kind, original)
        assert known(alice).order == told


def test_findings_ask_them_like_all_others(alice: User) -> None:
    """Of 200 trades those that large orders stood against lost 10, the others won 10."""
    account = make_account(alice)
    fills = []
    for number in range(200):
        at = NOON + timedelta(hours=number)
        price = "90" if number % 2 else "110"
        fills.append(make_fill(account, 2 * number + 1, "BUY", "100", time=at))
        later = at + timedelta(minutes=5)
        fills.append(make_fill(account, 2 * number + 2, "SELL", price, time=later))
    trades_of(account, *fills)
    FillFlow.objects.bulk_create(
        FillFlow(
            fill=fill,
            stamped_at=timezone.now(),
            windows={
                "1m": {
                    "buy": "600000",
                    "sell": "400000",
                    "bands": {"100k-1M": "200000" if fill.trade_id % 4 == 1 else "-200000"},
                }
            },
        )
        for fill in Fill.objects.filter(side="BUY")
    )
    answer = computed(alice, "findings").answer
    assert answer is not None
    (claim,) = [
        one for one in answer["compared"] if one["dimension"] == "large" and one["is_claim"]
    ]
    assert (claim["count"], claim["rest_count"], abs(claim["effect"])) == (100, 100, 20)
