"""Fills get their flow from an exchange with a year behind it, whatever their age."""

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any
from urllib.request import urlopen

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.models import Fill, FillFlow, FlowDay, Trade
from journal.planner import rounds
from journal.stamps import stamping
from lib.dates import to_ms
from market.asking.dayfile import fetch as fetch_day
from market.models import Instrument, PastBar, PastSpan
from market.past import store
from market.past.spans import Stretch
from market.vision.files import Wanted
from tests.journal.accounts import make_account, make_fill, trades_of
from tests.journal.sync.stage import DemoExchange

pytestmark = pytest.mark.django_db(transaction=True)


def days_ago(days: int, hour: int = 12) -> datetime:
    at = datetime.now(UTC) - timedelta(days=days)
    return at.replace(hour=hour, minute=34, second=56, microsecond=0)


def told(exchange: DemoExchange, path: str, **query: Any) -> list[Any]:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    with urlopen(f"{exchange.http}{path}?{words}", timeout=30) as answer:  # noqa: S310
        found: list[Any] = json.load(answer)
    return found


def round_trip(
    account: ExchangeAccount, opened: datetime, minutes: int, *, first_id: int = 1, **more: Any
) -> None:
    closed = opened + timedelta(minutes=minutes)
    trades_of(
        account,
        make_fill(account, first_id, "BUY", "100", time=opened, **more),
        make_fill(account, first_id + 1, "SELL", "101", time=closed, **more),
    )


def test_a_market_without_work_looks_for_some_while_another_works(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left = {"spot": [1] * 10, "usdm": [0, 2]}
    is_found = threading.Event()

    def work(market: str, _stages: object, is_to_stop: rounds.IsToStop) -> int:
        if market == "spot":
            assert is_found.wait(20), "the other market has not looked again"
        done = left[market].pop(0) if left[market] else 0
        if done == 2:
            is_found.set()
        return done

    monkeypatch.setattr(rounds, "NEWS_SECONDS", 0.05)
    monkeypatch.setattr(rounds, "_work_batch", work)
    assert rounds.work_round() == 12


def test_old_fills_get_their_total_flow_path_and_verdict_from_candles(
    account: ExchangeAccount, exchange: DemoExchange, settings: Any
) -> None:
    settings.FLOW_BACKFILL_DAYS = 0  # no bands
    opened = days_ago(40)
    round_trip(account, opened, 200)
    stamping.stamp_due()
    assert rounds.work_round() > 0
    entry, leaving = FillFlow.objects.order_by("fill__trade_id")
    assert (entry.basis, entry.window) == ("candles_1s", "1m")
    seconds = told(
        exchange,
        "/api/v3/klines",
        symbol="BTCUSDT",
        interval="1s",
        startTime=to_ms(opened) - 60_000,
        endTime=to_ms(opened) - 1,
    )
    buy = sum(D(row[10]) for row in seconds)
    sell = sum(D(row[7]) for row in seconds) - buy
    assert D(entry.windows["1m"]["buy"]) == buy
    assert D(entry.windows["1m"]["delta"]) == buy - sell
    assert entry.windows["1m"]["bands"] is None
    # the exit is told by minutes: its windows end with the last whole one
    assert (leaving.basis, leaving.window) == ("candles_1m", "5m")
    assert leaving.why == {"10s": "minutes_only", "1m": "minutes_only"}
    minute = to_ms(opened + timedelta(minutes=200)) // 60_000 * 60_000
    minutes = told(
        exchange,
        "/api/v3/klines",
        symbol="BTCUSDT",
        interval="1m",
        startTime=minute - 300_000,
        endTime=minute - 1,
    )
    assert D(leaving.windows["5m"]["delta"]) == sum(2 * D(r[10]) - D(r[7]) for r in minutes)
    assert leaving.day_high is not None
    trade = Trade.objects.get()
    assert trade.flow in {"with", "mixed", "against"}
    assert (trade.flow_window, trade.flow_basis) == ("1m", "candles_1s")
    assert trade.worst is not None
    assert trade.best is not None
    # without and with the minutes of its own exit
    assert trade.worst_to <= trade.worst <= 0 <= trade.best <= trade.best_to
    assert trade.after_1h is not None
    assert rounds.work_round() == 0


@pytest.mark.parametrize("market", ["spot", "usdm"])
def test_bands_follow_from_the_cheapest_source_and_add_up_to_the_candles(
    account: ExchangeAccount, exchange: DemoExchange, market: str
) -> None:
    opened = days_ago(5)
    round_trip(account, opened, 2, market=market, realized=D(0) if market == "usdm" else None)
    stamping.stamp_due()
    rounds.work_round()
    assert set(FillFlow.objects.values_list("basis", "stage")) == {("aggregates", "done")}
    [day] = FlowDay.objects.all()
    assert day.state == "done"
    assert day.source == ("aggregates" if market == "spot" else "file")
    instrument = Instrument.objects.get(market=market)
    prefix = "/api/v3" if market == "spot" else "/fapi/v1"
    first = to_ms(opened) // 60_000 * 60_000 - 600_000
    rows = told(
        exchange,
        f"{prefix}/klines",
        symbol="BTCUSDT",
        interval="1m",
        startTime=first,
        endTime=first + 599_999,
    )
    assert len(rows) == 10
    bars = store.load(instrument.pk, 60, first // 1000, first // 1000 + 600)
    for row in rows:
        bar = bars[row[0] // 1000]
        assert bar.detail.word == "order"
        assert D(bar.quote_buy) / 10**16 == D(row[10])
        assert D(bar.quote_buy + bar.quote_sell) / 10**16 == D(row[7])
        assert sum(bar.order[:6]) == bar.quote_buy
        assert sum(bar.order[6:12]) == bar.quote_sell
    entry = FillFlow.objects.earliest("fill__time")
    bands = entry.windows["15m"]["bands"]
    assert sum(map(D, bands.values())) == D(entry.windows["15m"]["delta"])
    if market == "usdm":  # the day file left minutes for the whole day
        start = to_ms(opened) // 86_400_000 * 86_400
        known = store.known(instrument.pk, 60, start, start + 86_400)
        assert sum(b - a for a, b in known) >= 86_000


def test_a_day_is_read_once_for_all_fills_that_wait_for_it(
    account: ExchangeAccount, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(rounds.FILLS_A_BATCH, FillFlow.Stage.BANDS, 1)
    read: list[Wanted] = []

    def fetch(instrument: Instrument, item: Wanted, stretches: Sequence[Stretch]) -> int:
        read.append(item)
        return fetch_day(instrument, item, stretches)

    monkeypatch.setattr("journal.planner.days.dayfile.fetch", fetch)
    for mine in (account, make_account(bob)):
        round_trip(mine, days_ago(6), 2, market="usdm", realized=D(0))
        round_trip(mine, days_ago(6, hour=18), 2, first_id=3, market="usdm", realized=D(0))
    stamping.stamp_due()
    rounds.work_round()
    assert len(read) == 1
    told = FillFlow.objects.values_list("basis", "stage")
    assert (len(told), set(told)) == (8, {("aggregates", "done")})


def test_a_killed_round_goes_on_where_it_was(account: ExchangeAccount) -> None:
    round_trip(account, days_ago(9), 30)
    stamping.stamp_due()
    asked: list[bool] = []

    def stop_soon() -> bool:
        asked.append(True)
        return len(asked) > 3

    rounds.work_round(stop_soon)
    assert set(FillFlow.objects.values_list("stage", flat=True)) != {"done"}
    before = PastSpan.objects.count()
    rounds.work_round()
    assert set(FillFlow.objects.values_list("stage", flat=True)) == {"done"}
    assert PastSpan.objects.count() >= before


def test_what_the_exchange_does_not_list_is_told_and_left_alone(
    account: ExchangeAccount, alice: User, client: Client
) -> None:
    make_fill(account, 1, "BUY", "1", time=days_ago(3), symbol="GONEUSDT", base="GONE").save()
    make_fill(account, 2, "BUY", "100", time=days_ago(2)).save()
    stamping.stamp_due()
    rounds.work_round()
    gone = FillFlow.objects.get(fill__symbol="GONEUSDT")
    assert (gone.basis, gone.refused) == ("", "unknown_symbol")
    assert gone.again_at is not None
    assert gone.again_at > timezone.now() + timedelta(hours=20)
    assert rounds.work_round() == 0
    client.force_login(alice)
    answer = client.get(f"/api/flow/coverage?account={account.pk}").json()
    assert answer == {
        "rows": [
            {
                "account": str(account.pk),
                "market": "spot",
                "fills": 2,
                "total": 1,
                "bands": 1,
                "waiting": 0,
                "refused": [{"reason": "unknown_symbol", "count": 1}],
            }
        ],
        "eta_s": 0,
    }
    assert client.get("/api/flow/coverage?account=x").status_code == 400


def test_a_file_that_is_not_what_its_checksum_says_is_told_and_keeps_nothing(
    account: ExchangeAccount, exchange: DemoExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("market.vision.files.expected_digest", lambda url, item: "0" * 64)
    round_trip(account, days_ago(6), 2, market="usdm", realized=D(0))
    stamping.stamp_due()
    rounds.work_round()
    [day] = FlowDay.objects.all()
    assert (day.state, day.source) == ("refused", "")
    assert "expected SHA-256" in day.note
    assert not PastBar.objects.filter(detail__gt=0).exists()
    assert set(FillFlow.objects.values_list("basis", "refused")) == {("candles_1m", "not_told")}
    assert Fill.objects.filter(flow_due_at__isnull=False).count() == 0
