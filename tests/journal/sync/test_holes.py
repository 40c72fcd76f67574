"""Futures that were not read for longer than the exchange remembers: a hole that is told, and
filled by the exchange's own file before older years."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from journal.models import Balance, Coverage, Fill, Income, Sync
from journal.sync import older, usdm
from journal.sync.windows import DAY_MS, merged, without
from lib.dates import from_ms, to_ms
from market.binance.errors import Refused
from tests.journal.accounts import make_account
from tests.journal.sync.told import Told, list_symbol, run_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
INCOME, TRADES = "/fapi/v1/income", "/fapi/v1/userTrades"


def test_stretches_are_merged_and_cut() -> None:
    assert merged([[5, 9], [1, 3], [3, 4], [8, 12], [7, 7]]) == [[1, 4], [5, 12]]
    assert without([[1, 10], [20, 30]], 4, 25) == [[1, 4], [25, 30]]
    assert without([[1, 10]], 0, 10) == []


class Files(Told):
    """Answers nothing by windows; makes files of income and fills."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.made: list[tuple[str, int, int]] = []
        income = (
            "Time(UTC),Type,Amount,Asset,Symbol,Transaction ID\n"
            f"{at},COMMISSION,-1,USDT,BTCUSDT,77\n"
        )
        trades = (
            "Time(UTC),Symbol,Side,Price,Quantity,Fee,Fee Coin,Realized Profit,Trade ID,Order ID\n"
            f"{at},BTCUSDT,BUY,100,1,0,USDT,0,5,5\n"
        )
        for kind, body in (("income", income), ("trade", trades)):
            self.on(f"/fapi/v1/{kind}/asyn", partial(self._make, kind))
            self.on(
                f"/fapi/v1/{kind}/asyn/id",
                lambda params: {"status": "completed", "url": f"/{params['downloadId']}"},
            )
            self.on(f"/{kind}", partial(_bytes, body))
        self.on(INCOME, lambda params: []).on(TRADES, lambda params: [])

    def _make(self, kind: str, params: dict[str, Any]) -> dict[str, str]:
        self.made.append((kind, params["startTime"], params["endTime"]))
        return {"downloadId": kind}


def _bytes(body: str, params: dict[str, Any]) -> bytes:
    return body.encode()


def read_until_then(alice: User, exchange: Told, days: int) -> Any:
    """A run whose futures were last read so many days ago, from 150 days ago on; of later ones the
    exchange answers nothing."""
    list_symbol("usdm", "BTC", "USDT")
    run = run_of(make_account(alice), exchange)
    Sync.objects.update(since=(run.now - 150 * DAY).date())
    for kind, symbol in (("income", ""), ("fills", "BTCUSDT")):
        row = run.coverage(kind, "usdm", symbol)
        row.from_time, row.to_time = run.now - 150 * DAY, run.now - days * DAY
        row.is_complete = True
        row.save()
    return run


def test_a_hole_is_told_and_filled_by_the_exchanges_own_file(alice: User) -> None:
    at = timezone.now() - 100 * DAY
    exchange = Files(f"{at:%Y-%m-%d %H:%M:%S}")
    run = read_until_then(alice, exchange, 110)
    usdm.read_income(run)
    usdm.read_fills(run, ["BTCUSDT"])
    hole = [to_ms(run.now - 110 * DAY), run.now_ms - 89 * DAY_MS]
    for row in Coverage.objects.all():
        assert (row.note, row.holes) == ("hole", [hole])
    older.read_older(run)
    assert exchange.made[:2] == [("income", *hole), ("trade", *hole)]
    assert Income.objects.get().external_id == "77"
    assert Fill.objects.get().trade_id == 5
    for row in Coverage.objects.all():
        assert row.holes == []
        assert row.note != "hole"


def test_a_hole_stays_told_while_the_file_is_refused(alice: User) -> None:
    def refuse(params: dict[str, Any]) -> Any:
        raise Refused(-1, "too many files this month")

    exchange = Files("2026-01-01 00:00:00")
    run = read_until_then(alice, exchange, 110)
    usdm.read_income(run)
    exchange.on("/fapi/v1/income/asyn", refuse)
    older.read_older(run)
    row = Coverage.objects.get(kind="income")
    assert row.note == "hole"
    assert row.holes != []
    assert Sync.objects.get().older_after is not None
    usdm.read_income(run)  # the next run finds it still there
    assert Coverage.objects.get(kind="income").note == "hole"


def test_what_was_read_in_time_has_no_hole(alice: User) -> None:
    run = read_until_then(alice, Files("2026-01-01 00:00:00"), 80)
    usdm.read_income(run)
    row = Coverage.objects.get(kind="income")
    assert (row.note, row.holes) == ("", [])
    assert row.to_time == from_ms(run.now_ms)


def never_read(alice: User, exchange: Told) -> Any:
    """A run that knows the last 89 days, where the wallet holds what these do not tell."""
    list_symbol("usdm", "BTC", "USDT")
    run = run_of(make_account(alice), exchange)
    Sync.objects.update(since=(run.now - 150 * DAY).date())
    row = run.coverage("income", "usdm")
    row.from_time, row.to_time = run.now - 89 * DAY, run.now
    row.save()
    Balance.objects.create(
        account=run.account, wallet="usdm", asset="USDT", free=-1, locked=0, updated_at=run.now
    )
    return run


def test_files_are_asked_for_while_other_things_are_read_and_only_once(alice: User) -> None:
    at = timezone.now() - 100 * DAY
    exchange = Files(f"{at:%Y-%m-%d %H:%M:%S}")
    run = never_read(alice, exchange)
    exchange.on("/fapi/v1/trade/asyn/id", lambda params: {"status": "processing"})
    ahead = older.Ahead(run)
    ahead()
    ahead()
    assert [kind for kind, _start, _end in exchange.made] == ["income", "trade"]
    assert Fill.objects.count() == 0, "it is not made yet"
    exchange.on("/fapi/v1/trade/asyn/id", lambda params: {"status": "completed", "url": "/trade"})
    older.read_older(run)
    assert [kind for kind, _start, _end in exchange.made] == ["income", "trade"]
    assert (Income.objects.count(), Fill.objects.count()) == (1, 1)
    assert Sync.objects.get().downloads == {}
    ahead()
    assert len(exchange.made) == 2, "it adds up, and reaches back as far as is wanted"


def test_files_that_are_made_are_taken_while_other_things_are_waited_for(alice: User) -> None:
    at = timezone.now() - 100 * DAY
    exchange = Files(f"{at:%Y-%m-%d %H:%M:%S}")
    run = never_read(alice, exchange)
    run.say("Reading withdrawals")
    older.Ahead(run)()
    assert (Income.objects.count(), Fill.objects.count()) == (1, 1)
    assert Sync.objects.get().downloads == {}
    assert run.note == "Reading withdrawals", "what it waits for is told"
    asked = len(exchange.asked)
    older.read_older(run)
    assert len(exchange.asked) == asked, "nothing is read twice"


def test_a_file_that_cannot_be_read_ahead_is_told_where_it_is_wanted(alice: User) -> None:
    exchange = Files("2026-01-01 00:00:00")
    exchange.on("/income", partial(_bytes, "no,table"))
    run = never_read(alice, exchange)
    ahead = older.Ahead(run)
    ahead()
    asked = len(exchange.asked)
    ahead()
    assert len(exchange.asked) == asked, "once is enough"
    assert Sync.objects.get().older_after is None
    older.read_older(run)
    assert Sync.objects.get().older_after is not None


def test_what_is_refused_ahead_is_asked_for_when_it_is_wanted(alice: User) -> None:
    def refuse(params: dict[str, Any]) -> Any:
        raise Refused(-1, "too many files this month")

    exchange = Files("2026-01-01 00:00:00")
    run = never_read(alice, exchange)
    exchange.on("/fapi/v1/income/asyn", refuse)
    older.Ahead(run)()
    assert Sync.objects.get().downloads == {}
    assert Sync.objects.get().older_after is None
    older.read_older(run)
    assert Sync.objects.get().older_after is not None


def test_what_another_budget_pays_for_is_done_while_one_waits(alice: User) -> None:
    exchange = Files("2026-01-01 00:00:00")
    run = never_read(alice, exchange)
    run.meanwhile = older.Ahead(run)
    run.beat("")
    assert exchange.made == []
    run.beat("waiting", 59)
    run.beat("waiting", 58)
    assert [kind for kind, _start, _end in exchange.made] == ["income", "trade"]
