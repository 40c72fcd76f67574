"""Reading that does not conclude from one answer, and does not forget what is delisted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from journal.models import Coverage, Difference, Fill, FuturesPosition, Income, Sync
from journal.sync import again, spot, usdm
from lib.dates import to_ms
from market.binance.errors import Refused
from tests.journal.accounts import make_account
from tests.journal.sync.told import Told, list_symbol, run_of, spot_row, usdm_row

pytestmark = pytest.mark.django_db

TRADES = "/api/v3/myTrades"
USER_TRADES = "/fapi/v1/userTrades"
DAY = timedelta(days=1)


def by_id(rows: list[Any]) -> Callable[[dict[str, Any]], list[Any]]:
    """As the exchange pages: from an id on, else the newest."""

    def answer(params: dict[str, Any]) -> list[Any]:
        first = params.get("fromId", 0)
        found = [row for row in rows if row["id"] >= first and row["symbol"] == params["symbol"]]
        return found[: params["limit"]]

    return answer


def ids() -> list[int]:
    return sorted(Fill.objects.values_list("trade_id", flat=True))


def test_a_short_first_page_is_no_end(alice: User) -> None:
    list_symbol("spot", "BTC", "USDT")
    rows = [spot_row(number) for number in range(1, 7)]

    def answer(params: dict[str, Any]) -> list[Any]:
        if "fromId" not in params:
            return [row for row in rows if row["id"] in {1, 4, 6}]
        return by_id(rows)(params)

    exchange = Told().on(TRADES, answer)
    run = run_of(make_account(alice), exchange)
    spot.read_newest(run, {"BTCUSDT": "balance"})
    spot.read_back(run, ["BTCUSDT"])
    assert ids() == [1, 2, 3, 4, 5, 6]
    assert Coverage.objects.get().is_complete
    assert exchange.of(TRADES)[-1]["fromId"] == 7  # and nothing was behind it


def test_a_short_page_in_the_middle_is_no_end(alice: User) -> None:
    list_symbol("spot", "BTC", "USDT")
    rows = [spot_row(number) for number in range(1, 7)]
    exchange = Told().on(TRADES, lambda params: by_id(rows)(params)[:2])
    run = run_of(make_account(alice), exchange)
    spot.read_back(run, ["BTCUSDT"])
    assert ids() == [1, 2, 3, 4, 5, 6]
    assert spot.read_forward(run, ["BTCUSDT"]) == 0
    rows += [spot_row(number) for number in range(7, 12)]
    assert spot.read_forward(run, ["BTCUSDT"]) == 5


def test_a_short_page_of_futures_fills_is_followed_from_its_last_id(alice: User) -> None:
    list_symbol("usdm", "BTC", "USDT")
    now_ms = to_ms(timezone.now())
    rows = [usdm_row(number, "BTCUSDT", now_ms - 60_000 + number) for number in range(1, 7)]
    exchange = Told().on(USER_TRADES, lambda params: by_id(rows)(params)[:2])
    run = run_of(make_account(alice), exchange)
    run.now += timedelta(seconds=5)
    assert len(usdm._ask_fills(run, run.coverage("fills", "usdm", "BTCUSDT"), 0, now_ms)) == 6


def test_a_short_page_of_income_is_followed_from_its_last_moment(alice: User) -> None:
    rows = [
        {
            "incomeType": "COMMISSION",
            "tranId": number,
            "asset": "USDT",
            "symbol": "BTCUSDT",
            "income": "-1",
            "time": 1000 + number // 2,
        }
        for number in range(6)
    ]

    def answer(params: dict[str, Any]) -> list[Any]:
        return [row for row in rows if params["startTime"] <= row["time"]][:3]

    exchange = Told().on("/fapi/v1/income", answer)
    found = usdm._ask_income(run_of(make_account(alice), exchange), 0, 2000)
    assert sorted(row.external_id for row in found) == ["0", "1", "2", "3", "4", "5"]


def complete_row(alice: User, rows: list[Any]) -> tuple[Any, Told]:
    list_symbol("spot", "BTC", "USDT")
    exchange = Told().on(TRADES, by_id(rows))
    run = run_of(make_account(alice), exchange)
    spot.read_back(run, ["BTCUSDT"])
    exchange.asked.clear()
    return run, exchange


def differ(run: Any, asset: str, amount: int) -> None:
    Difference.objects.all().delete()
    Difference.objects.create(
        account=run.account,
        wallet="spot",
        asset=asset,
        calculated=0,
        reported=amount,
        cause="moved_in",
        compared_at=timezone.now(),
    )


def test_a_difference_is_a_reason_to_read_its_symbols_again(alice: User) -> None:
    rows = [spot_row(number) for number in (1, 2, 5)]
    run, exchange = complete_row(alice, rows)
    assert again.read_again(run) == 0
    assert exchange.asked == []
    rows.insert(2, spot_row(3))  # it was there, and nobody told of it
    differ(run, "ETH", 1)
    assert again.read_again(run) == 0
    assert exchange.asked == []  # ETH is none of its coins
    differ(run, "BTC", 1)
    assert again.read_again(run) == 1
    assert ids() == [1, 2, 3, 5]


def test_a_difference_that_stays_is_followed_after_growing_pauses(alice: User) -> None:
    run, exchange = complete_row(alice, [spot_row(1)])
    differ(run, "BTC", 1)
    days = []
    for day in range(16):
        exchange.asked.clear()
        again.read_again(run)
        days += [day] if exchange.asked else []
        again.read_again(run)
        run.now += DAY
    assert days == [0, 2, 6, 14]
    exchange.asked.clear()
    differ(run, "BTC", 2)  # another one: not before a day has passed
    again.read_again(run)
    assert exchange.asked != []


def test_what_does_not_differ_is_read_again_daily_and_then_more_rarely(alice: User) -> None:
    run, exchange = complete_row(alice, [spot_row(1)])
    days = []
    for day in range(9):
        exchange.asked.clear()
        again.read_again(run)
        days += [day] if exchange.asked else []
        run.now += DAY
    assert days == [1, 3, 7]


def test_a_futures_difference_reads_income_and_fills_again(alice: User) -> None:
    list_symbol("usdm", "BTC", "USDT")
    now_ms = to_ms(timezone.now())
    late: list[Any] = []
    exchange = Told().on(USER_TRADES, by_id(late)).on("/fapi/v1/income", lambda params: [])
    run = run_of(make_account(alice), exchange)
    usdm.read_income(run)
    usdm.read_fills(run, ["BTCUSDT"])
    late.append(usdm_row(1, "BTCUSDT", now_ms - 40 * 86_400_000))
    exchange.asked.clear()
    Difference.objects.create(
        account=run.account,
        wallet="usdm",
        asset="USDT",
        calculated=0,
        reported=1,
        cause="moved_in",
        compared_at=timezone.now(),
    )
    assert again.read_again(run) == 1
    assert exchange.of("/fapi/v1/income") != []
    assert ids() == [1]


# --- delisted -----------------------------------------------------------------------------------


def test_a_delisted_contract_is_asked_for(alice: User) -> None:
    list_symbol("usdm", "BTC", "USDT")
    now_ms = to_ms(timezone.now())
    rows = [usdm_row(1, "GONEUSDT", now_ms - 3_600_000)]
    exchange = Told().on(USER_TRADES, by_id(rows))
    run = run_of(make_account(alice), exchange)
    Income.objects.create(
        account=run.account,
        kind="REALIZED_PNL",
        external_id="1",
        asset="USDT",
        symbol="GONEUSDT",
        amount=-500,
        time=timezone.now(),
        source="rest",
    )
    assert usdm.find_symbols(run) == ["GONEUSDT"]
    usdm.read_fills(run, usdm.find_symbols(run))
    assert {params["symbol"] for params in exchange.of(USER_TRADES)} == {"GONEUSDT"}
    fill = Fill.objects.get()
    assert (fill.base, fill.quote) == ("GONE", "USDT")


def test_positions_and_files_name_contracts_too(alice: User) -> None:
    run = run_of(make_account(alice), Told())
    FuturesPosition.objects.create(
        account=run.account,
        symbol="OLDUSDT",
        position_side="BOTH",
        quantity=1,
        entry_price=1,
        mark_price=1,
        liquidation_price=0,
        unrealized=0,
        margin=0,
        margin_asset="USDT",
        updated_at=timezone.now(),
    )
    run.coverage("fills", "usdm", "FILEUSDT")
    assert usdm.find_symbols(run) == ["FILEUSDT", "OLDUSDT"]


def test_a_delisted_spot_symbol_keeps_its_fills(alice: User) -> None:
    list_symbol("spot", "VEN", "BTC", status="DELISTED")
    list_symbol("spot", "BTC", "GBP")
    rows = [spot_row(1, "VENBTC"), spot_row(2, "BCCGBP")]
    run = run_of(make_account(alice), Told().on(TRADES, by_id(rows)))
    sync = run.account.sync
    sync.symbols = ["VENBTC", "BCCGBP"]
    sync.save()
    symbols = spot.propose_symbols(run)
    assert symbols == {"VENBTC": "chosen", "BCCGBP": "chosen"}
    spot.read_newest(run, symbols)
    spot.read_back(run, symbols)
    assert set(Fill.objects.values_list("symbol", "base", "quote")) == {
        ("VENBTC", "VEN", "BTC"),
        ("BCCGBP", "BCC", "GBP"),
    }


def test_a_symbol_of_unknown_coins_is_listed_as_left_out(alice: User) -> None:
    list_symbol("spot", "BTC", "USDT")
    run = run_of(make_account(alice), Told().on(TRADES, by_id([spot_row(9, "BTCXYZ")])))
    spot.read_newest(run, {"BTCXYZ": "chosen"})
    assert not Fill.objects.exists()
    row = Coverage.objects.get()
    assert row.note == "unknown_coins"
    assert row.left_out == [{"id": 9, "reason": "unknown_coins"}]


def test_what_the_exchange_does_not_know_stops_nobody_and_is_asked_for_daily(alice: User) -> None:
    def refuse(params: dict[str, Any]) -> Any:
        raise Refused(-1121, "Invalid symbol.")

    exchange = Told().on(USER_TRADES, refuse)
    run = run_of(make_account(alice), exchange)
    usdm.read_fills(run, ["AUSDT", "BUSDT"])
    assert len(exchange.asked) == 2
    run.now = timezone.now()
    usdm.read_fills(run, ["AUSDT", "BUSDT"])
    assert len(exchange.asked) == 2
    run.now = timezone.now() + DAY
    usdm.read_fills(run, ["AUSDT"])
    assert len(exchange.asked) == 3


# --- the page -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "is_taken"),
    [
        ("BTCUSDT", True),
        ("venbtc", True),
        ("NOTHING", False),
        ("A" * 60 + "BTC", False),
        ("VEN BTC", False),
        ("", False),
    ],
)
def test_an_owner_may_name_what_was_delisted_before_we_knew_of_it(
    alice: User, alices_browser: Client, symbol: str, is_taken: bool
) -> None:
    list_symbol("spot", "BTC", "USDT")
    list_symbol("spot", "ETH", "BTC")
    account = make_account(alice)
    alices_browser.post(
        reverse("history-ask", args=[account.pk]), {"do": "symbol", "symbol": symbol}
    )
    wishes = [row.symbols for row in Sync.objects.all()]
    assert wishes == ([[symbol.upper()]] if is_taken else [])


def test_a_month_with_a_hole_is_not_shown_as_whole(alice: User, alices_browser: Client) -> None:
    now = timezone.now()
    row = Coverage.objects.create(
        account=make_account(alice),
        kind="income",
        market="usdm",
        from_time=now - 400 * DAY,
        to_time=now,
        is_complete=True,
    )
    address = reverse("account-history", args=[row.account_id])
    assert b"c-partial" not in alices_browser.get(address).content
    row.holes = [[to_ms(now - 100 * DAY), to_ms(now - 95 * DAY)]]
    row.save()
    assert b"c-partial" in alices_browser.get(address).content


def test_the_api_tells_holes_and_wallets_that_cannot_be_read(
    alice: User, client: Client, alices_token: dict[str, str]
) -> None:
    run = run_of(make_account(alice), Told())
    Sync.objects.update(unreadable={"earn": ["-1002", "2026-01-01T00:00:00Z"]})
    row = run.coverage("income", "usdm")
    row.holes = [[1, 2]]
    row.save()
    [told] = client.get("/api/coverage", **alices_token).json()["rows"]  # type: ignore[arg-type]
    assert (told["holes"], told["left_out"]) == ([[1, 2]], [])
    [sync] = client.get("/api/sync", **alices_token).json()["rows"]  # type: ignore[arg-type]
    assert sync["unreadable"] == {"earn": "-1002"}
