"""What an exchange can do wrong while old fills get their flow: told, nothing half-written, and
gone on with where it was."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db.models import F

from accounts.models import ExchangeAccount
from journal.models import FillFlow, FlowDay
from journal.planner import rounds
from journal.stamps import stamping
from market.models import PastBar
from tests.journal.accounts import make_fill, trades_of
from tests.journal.sync.stage import DemoExchange

pytestmark = pytest.mark.django_db(transaction=True)
FUTURES = {"market": "usdm", "realized": D(0)}


def noon(days_ago: int) -> datetime:
    day = datetime.now(UTC) - timedelta(days=days_ago)
    return day.replace(hour=12, minute=34, second=56, microsecond=0)


def trade_at(account: ExchangeAccount, opened: datetime, **more: Any) -> None:
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100", time=opened, **more),
        make_fill(account, 2, "SELL", "101", time=opened + timedelta(minutes=2), **more),
    )
    stamping.stamp_due()


def ends() -> set[tuple[str, str, str]]:
    return set(FillFlow.objects.values_list("basis", "stage", "refused"))


def fault(exchange: DemoExchange, kind: str, **arguments: Any) -> None:
    exchange.ask("POST", f"/simulator/faults/{kind}", **arguments)


def whole_bars_only() -> bool:
    """Every bar tells as much bought and sold by size as in total."""
    bars = PastBar.objects.filter(detail__gt=0).exclude(order_bands="")
    for bar in bars.values("order_bands", "quote_buy", "quote_sell"):
        sizes = [int(size) for size in bar["order_bands"].split()]
        told = (sum(sizes[:6]), sum(sizes[6:12]))
        if told != (int(bar["quote_buy"] * 10**16), int(bar["quote_sell"] * 10**16)):
            return False
    return bars.exists()


def test_candles_with_holes_leave_no_hole_where_aggregates_tell_it(
    account: ExchangeAccount, exchange: DemoExchange
) -> None:
    fault(exchange, "kline_holes", every=3, seconds=600)
    trade_at(account, noon(5))
    rounds.work_round()
    assert ends() == {("aggregates", "done", "")}
    assert whole_bars_only()


def test_of_a_day_without_trades_nothing_is_made_up(
    account: ExchangeAccount, exchange: DemoExchange
) -> None:
    fault(exchange, "quiet_day", date=f"{noon(6):%Y-%m-%d}", seconds=600)
    trade_at(account, noon(6))
    rounds.work_round()
    flows = list(FillFlow.objects.all())
    assert [bool(flow.basis or flow.refused) for flow in flows] == [True] * 2, "never silent"
    told = [window for flow in flows for window in flow.windows.values() if window is not None]
    assert all(D(window["buy"]) == D(window["sell"]) == 0 for window in told)


def test_what_was_before_the_listing_is_told_and_not_asked_for_again(
    account: ExchangeAccount, exchange: DemoExchange
) -> None:
    fault(exchange, "listed_since", date=f"{noon(3):%Y-%m-%d}", seconds=600)
    trade_at(account, noon(9))
    rounds.work_round()
    flows = list(FillFlow.objects.all())
    assert [(flow.basis, bool(flow.refused)) for flow in flows] == [("", True)] * 2
    assert all(flow.again_at is not None for flow in flows)
    before = exchange.ask("GET", "/simulator/status")["requests"]
    assert rounds.work_round() == 0
    asked = exchange.ask("GET", "/simulator/status")["requests"]
    assert {path: n for path, n in asked.items() if "klines" in path or "aggTrades" in path} == {
        path: n for path, n in before.items() if "klines" in path or "aggTrades" in path
    }


@pytest.mark.parametrize("what", ["missing", "damaged", "truncated", "checksum"])
def test_a_file_that_is_not_whole_keeps_nothing_and_the_next_day_has_its_own(
    account: ExchangeAccount, exchange: DemoExchange, what: str
) -> None:
    ill, well = noon(7), noon(8)
    fault(exchange, "archive", path=f"*{ill:%Y-%m-%d}*", what=what, seconds=600)
    trades_of(
        account,
        *(
            make_fill(account, 2 * n + m, side, "100", time=at + timedelta(minutes=m), **FUTURES)
            for n, at in enumerate((ill, well))
            for m, side in enumerate(("BUY", "SELL"))
        ),
    )
    stamping.stamp_due()
    rounds.work_round()
    days = dict(FlowDay.objects.values_list("day", "state"))
    assert days == {ill.date(): "refused", well.date(): "done"}
    note = FlowDay.objects.get(state="refused").note
    assert note.startswith("file: "), note
    told = FillFlow.objects.order_by("fill__time").values_list("basis", "refused")
    assert list(told) == [("aggregates", "")] * 2 + [("candles_1m", "not_told")] * 2
    assert whole_bars_only()


@pytest.mark.parametrize("code", [429, 418])
def test_a_refusal_in_the_midst_is_waited_out_and_gone_on_with(
    account: ExchangeAccount,
    exchange: DemoExchange,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
) -> None:
    monkeypatch.setattr("market.binance.governor.SHORTEST_BAN_SECONDS", 1.0)
    monkeypatch.setattr(rounds, "ROUND_SECONDS", 0.5)
    trade_at(account, noon(5))
    fault(exchange, "status", code=code, retry_after=1, path="*/aggTrades*", seconds=2)
    rounds.work_round()
    assert ("aggregates", "done", "") not in ends()
    assert not PastBar.objects.filter(detail__gt=0).exists(), "nothing half-written"
    monkeypatch.setattr(rounds, "ROUND_SECONDS", 60.0)
    FillFlow.objects.update(again_at=F("stamped_at"))
    for _ in range(5):
        rounds.work_round()
    assert ends() == {("aggregates", "done", "")}
    assert whole_bars_only()
