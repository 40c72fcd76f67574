"""Deposits, withdrawals and distributions: an end is an answer with nothing new, never a short page
(F19); a difference is a reason to read them again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from journal.models import Coverage, Difference, Transfer
from journal.sync import again, wallets
from lib.dates import from_ms, to_ms
from tests.journal.accounts import make_account
from tests.journal.sync.told import Told, run_of

pytestmark = pytest.mark.django_db

DEPOSITS = "/sapi/v1/capital/deposit/hisrec"
WITHDRAWALS = "/sapi/v1/capital/withdraw/history"
DIVIDENDS = "/sapi/v1/asset/assetDividend"
NOW_MS = to_ms(datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
HOUR_MS = 3_600_000


def deposit_row(number: int) -> dict[str, Any]:
    return {
        "id": str(number),
        "amount": "1",
        "coin": "BTC",
        "network": "BTC",
        "status": 1,
        "insertTime": NOW_MS - number * HOUR_MS,
    }


def withdrawal_row(number: int) -> dict[str, Any]:
    applied = from_ms(NOW_MS - number * HOUR_MS)
    return {
        "id": f"w{number}",
        "amount": "1",
        "transactionFee": "0.1",
        "coin": "BTC",
        "status": 6,
        "applyTime": f"{applied:%Y-%m-%d %H:%M:%S}",
        "network": "BTC",
    }


def dividend_row(number: int, hours: int | None = None) -> dict[str, Any]:
    return {
        "id": number,
        "tranId": number,
        "amount": "1",
        "asset": "BNB",
        "divTime": NOW_MS - (number if hours is None else hours) * HOUR_MS,
        "enInfo": "Flexible",
        "direction": 1,
    }


def from_offset(rows: list[Any], most: int) -> Callable[[dict[str, Any]], Any]:
    """`most` rows an answer, whatever limit was asked for."""
    return lambda params: rows[params["offset"] :][:most]


def of_span(rows: list[Any], most: int, *, newest_first: bool) -> Callable[[dict[str, Any]], Any]:
    def answer(params: dict[str, Any]) -> Any:
        chosen = [r for r in rows if params["startTime"] <= r["divTime"] <= params["endTime"]]
        chosen.sort(key=lambda row: row["divTime"], reverse=newest_first)
        return {"rows": chosen[:most], "total": len(chosen)}

    return answer


@pytest.mark.parametrize("most", [1, 2, 5, 1000])
def test_a_short_page_of_deposits_is_no_end(alice: User, most: int) -> None:
    rows = [deposit_row(number) for number in range(1, 6)]
    exchange = Told().on(DEPOSITS, from_offset(rows, most))
    found = wallets._deposits(run_of(make_account(alice), exchange), 0, NOW_MS)
    assert [row.external_id for row in found] == ["1", "2", "3", "4", "5"]
    assert exchange.of(DEPOSITS)[-1]["offset"] == 5  # and nothing was behind them


def test_a_short_page_of_withdrawals_is_no_end(alice: User) -> None:
    rows = [withdrawal_row(number) for number in range(1, 6)]
    exchange = Told().on(WITHDRAWALS, from_offset(rows, 2))
    found = wallets._withdrawals(run_of(make_account(alice), exchange), 0, NOW_MS)
    assert [(row.external_id, row.amount) for row in found] == [
        (f"w{number}", D("-1.1")) for number in range(1, 6)
    ]


def test_an_exchange_that_knows_no_offset_is_not_asked_for_ever(alice: User) -> None:
    exchange = Told().on(DEPOSITS, lambda params: [deposit_row(1), deposit_row(2)])
    found = wallets._deposits(run_of(make_account(alice), exchange), 0, NOW_MS)
    assert [row.external_id for row in found] == ["1", "2"]
    assert len(exchange.asked) == 2


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("most", [1, 2, 3, 500])
def test_a_short_page_of_distributions_is_no_end(
    alice: User, most: int, *, newest_first: bool
) -> None:
    rows = [dividend_row(number) for number in range(1, 8)]
    exchange = Told().on(DIVIDENDS, of_span(rows, most, newest_first=newest_first))
    found = wallets._dividends(run_of(make_account(alice), exchange), 0, NOW_MS)
    assert sorted(int(row.external_id) for row in found) == [1, 2, 3, 4, 5, 6, 7]


def test_distributions_of_one_moment_that_a_page_cuts_are_all_read(alice: User) -> None:
    rows = [dividend_row(number, hours=number // 3) for number in range(6)]
    exchange = Told().on(DIVIDENDS, of_span(rows, 4, newest_first=True))
    found = wallets._dividends(run_of(make_account(alice), exchange), 0, NOW_MS)
    assert sorted(int(row.external_id) for row in found) == [0, 1, 2, 3, 4, 5]


def test_a_full_page_of_distributions_is_asked_for_in_halves(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wallets, "MOST_CREDITS", 3)
    rows = [dividend_row(number) for number in range(1, 20)]
    exchange = Told().on(DIVIDENDS, of_span(rows, 3, newest_first=True))
    found = wallets._dividends(run_of(make_account(alice), exchange), 0, NOW_MS)
    assert sorted(int(row.external_id) for row in found) == list(range(1, 20))


def test_an_empty_window_is_one_question(alice: User) -> None:
    exchange = Told().on(DIVIDENDS, of_span([], 500, newest_first=True))
    exchange.on(DEPOSITS, from_offset([], 1000))
    run = run_of(make_account(alice), exchange)
    assert wallets._dividends(run, 0, NOW_MS) == wallets._deposits(run, 0, NOW_MS) == []
    assert len(exchange.asked) == 2


def test_a_difference_reads_all_deposits_again_and_waits_longer_each_time(alice: User) -> None:
    """One deposit of last year was not told when it was read."""
    told: list[Any] = []
    exchange = Told().on(DEPOSITS, lambda params: _in(told, params)[params["offset"] :])
    run = run_of(make_account(alice), exchange)
    row = run.coverage(Coverage.Kind.DEPOSITS, "spot")
    row.from_time, row.to_time = run.now - timedelta(days=400), run.now
    row.is_complete, row.again_at = True, run.now
    row.save()
    Difference.objects.create(
        account=run.account,
        wallet="spot",
        asset="BTC",
        calculated=0,
        reported=1,
        cause="missing_history",
        compared_at=timezone.now(),
    )
    assert again.read_again(run) == 0
    assert exchange.asked == []  # it was read today
    run.now += timedelta(days=1, hours=1)
    told.append({**deposit_row(1), "insertTime": to_ms(run.now) - 300 * 24 * HOUR_MS})
    assert again.read_again(run) == 1
    assert Transfer.objects.get().external_id == "1"
    exchange.asked.clear()
    assert again.read_again(run) == 0
    assert exchange.asked == []  # not twice in a day
    run.now += timedelta(days=1, hours=1)
    again.read_again(run)
    assert len(exchange.of(DEPOSITS)) >= 5  # windows of 90 days, one of them told something
    Difference.objects.all().delete()
    exchange.asked.clear()
    run.now += timedelta(days=40)
    again.read_again(run)
    assert exchange.asked == []  # nothing differs: every run asks for the newest month anyway


def _in(rows: list[Any], params: dict[str, Any]) -> list[Any]:
    return [r for r in rows if params["startTime"] <= r["insertTime"] <= params["endTime"]]
