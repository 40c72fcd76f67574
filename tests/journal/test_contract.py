"""No two screens or endpoints disagree on any number."""

from datetime import datetime, time, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from journal.filters import TradeFilter
from journal.metrics import trades as metrics
from journal.metrics.days import day_of
from journal.models import Annotation, Realized, Trade
from journal.selectors import report_rows, reports
from journal.selectors.dashboard import dashboard
from journal.selectors.preferences import preferences_of
from journal.selectors.scope import Scope
from journal.selectors.sums import sums, sums_by_day, total
from journal.selectors.tallies import tally
from journal.selectors.trades import with_notes
from journal.selectors.units import spreads_by
from journal.views import trade_list
from tests.journal.accounts import make_account, make_fill, some_trades, trades_of

pytestmark = pytest.mark.django_db
QUERIES: tuple[dict[str, str], ...] = (
    {},
    {"market": "spot"},
    {"direction": "SHORT"},
    {"result": "win"},
    {"symbol": "ETHUSDT"},
)


@pytest.fixture
def journal(alice: User) -> User:
    account = make_account(alice)
    some_trades(account)
    fills = []
    for number in range(40):
        price = str(1000 + number * (-1) ** number)
        for step, side, paid in ((0, "BUY", "1000"), (3, "SELL", price)):
            at = 1000 + 10 * number + step
            fills.append(make_fill(account, at, side, paid, symbol="ETHUSDT", base="ETH"))
    trades_of(account, *fills)
    return alice


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_every_door_gives_the_same_sums(
    alices_browser: Client, journal: User, query: dict[str, str]
) -> None:
    def ask(path: str, **more: str) -> Any:
        return alices_browser.get(path, {**query, **more}).json()

    rows = ask("/api/trades", limit="1000")["rows"]
    nets = [D(row["net_money"]) for row in rows]
    summary = ask("/api/trades/summary")
    assert D(summary["net"]) == sum(nets, D(0))
    assert summary["count"] == len(nets)
    assert D(summary["net"]) == (D(summary["gross"]) - D(summary["fees"]) + D(summary["funding"]))
    home = ask("/api/dashboard")
    assert D(home["all"]["net"]) == D(summary["net"])
    days = ask("/api/calendar")["rows"]
    assert sum((D(day["net"]) for day in days), D(0)) == D(summary["net"])
    assert sum(day["count"] for day in days) == summary["count"]
    if home["equity"]:
        assert D(home["equity"][-1]["equity"]) == D(summary["net"])
    for dimension in ("symbol", "hour", "direction", "hold"):
        groups = ask("/api/reports", by=dimension)["rows"]
        assert sum((D(group["net"]) for group in groups), D(0)) == D(summary["net"])
        assert sum(group["count"] for group in groups) == summary["count"]


def test_sums_in_the_database_are_the_metrics_of_the_trades(journal: User) -> None:
    chosen = preferences_of(journal)
    scope = Scope(journal, TradeFilter(), chosen)
    found = sums(scope)
    nets = [row.net for row in report_rows.load(journal, scope.trades, chosen)]
    assert found.net == sum(nets, D(0))
    for ours, theirs in (
        (found.win_rate, metrics.win_rate(nets)),
        (found.profit_factor, metrics.profit_factor(nets)),
        (found.expectancy, metrics.expectancy(nets)),
    ):
        assert isinstance(ours, D)
        assert isinstance(theirs, D)
        assert abs(ours - theirs) < D("1e-20")


def test_lots_add_up_to_their_trades(journal: User) -> None:
    for trade in Trade.objects.closed():
        lots = Realized.objects.filter(trade=trade)
        assert sum((lot.gross for lot in lots), D(0)) == trade.gross
        assert sum((lot.fees for lot in lots), D(0)) == trade.fees
        assert sum((lot.net for lot in lots), D(0)) == trade.net - trade.funding


def test_a_flip_is_realised_once(alice: User) -> None:
    account = make_account(alice)
    usdm = {"market": "usdm", "realized": D(0)}
    for number, side, quantity in ((1, "BUY", "1"), (2, "SELL", "2"), (3, "BUY", "1")):
        trades_of(
            account, make_fill(account, number, side, str(100 + number), quantity=quantity, **usdm)
        )
    assert Trade.objects.count() == 2
    assert Realized.objects.count() == 2
    pairs = set(Realized.objects.values_list("opened_by", "closed_by"))
    assert pairs == {("1", "2"), ("2", "3")}


def test_the_same_ids_in_two_symbols_of_a_coin_are_two(alice: User) -> None:
    account = make_account(alice)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100"),
        make_fill(account, 2, "SELL", "110"),
        make_fill(account, 1, "BUY", "90", symbol="BTCUSDC", quote="USDC"),
        make_fill(account, 2, "SELL", "95", symbol="BTCUSDC", quote="USDC"),
    )
    lots = {(row.symbol, row.gross) for row in Realized.objects.all()}
    assert lots == {("BTCUSDT", D(10)), ("BTCUSDC", D(5))}


def test_ranges_of_the_home_page_are_those_of_the_reports(journal: User) -> None:
    chosen = preferences_of(journal)
    for number, trade in enumerate(Trade.objects.order_by("pk")):
        trade.flow = ("with", "against", "mixed")[number % 3]
        trade.save(update_fields=["flow"])
    scope = Scope(journal, TradeFilter(), chosen)
    found = spreads_by(scope, "flow")
    assert set(found) == {"with", "against", "mixed"}
    for name, spread in found.items():
        group = reports.group(name, tally(scope.trades.filter(flow=name), chosen))
        for here, there in (
            (spread.mean, group.mean),
            (spread.low, group.low),
            (spread.high, group.high),
        ):
            assert here is not None
            assert there is not None
            assert abs(here - there) < D("1e-15")
        assert spread.crosses_zero == group.crosses_zero


def test_a_day_of_the_list_has_its_sum_over_all_pages(
    journal: User, alices_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trade_list, "LINES_A_PAGE", 5)
    days = {row["day"]: row for row in alices_browser.get("/api/calendar").json()["rows"]}
    found = alices_browser.get("/trades/", {"page": "2"}).context["days"]
    assert found
    for day, day_sum, _lines in found:
        said = days[day.isoformat()]
        assert (day_sum.count, day_sum.net) == (said["count"], D(said["net"]))
    some = alices_browser.get("/trades/", {"state": "all", "sort": "-closed"}).context["days"]
    assert all((day_sum is None) == any(x.trade.is_open for x in part) for _, day_sum, part in some)
    by_net = alices_browser.get("/trades/", {"sort": "-net"}).context["days"]
    assert [(day, day_sum) for day, day_sum, _lines in by_net] == [(None, None)]


def test_the_day_is_the_users_own(alice: User, alices_browser: Client) -> None:
    some_trades(make_account(alice))
    chosen = preferences_of(alice)
    chosen.zone, chosen.day_start = "Asia/Seoul", 20
    chosen.save()
    # 10:02 UTC is 19:02 in Seoul, and that is still the day before where days begin at 20
    days = alices_browser.get("/api/calendar").json()["rows"]
    assert [row["day"] for row in days] == ["2026-03-01"]
    found = dashboard(alice, TradeFilter(), chosen)
    assert [day.isoformat() for day in found.days] == ["2026-03-01"]
    one = alices_browser.get("/api/trades/summary", {"from": "2026-03-01", "to": "2026-03-01"})
    assert one.json()["count"] == 3
    none = alices_browser.get("/api/trades/summary", {"from": "2026-03-02"})
    assert none.json()["count"] == 0


@pytest.mark.parametrize(
    ("closed", "day"),
    [
        ("2026-03-29T02:30+00:00", "2026-03-28"),  # 04:30 by the wall clock that has just moved
        ("2026-03-29T03:30+00:00", "2026-03-29"),  # 05:30
        ("2026-10-25T03:30+00:00", "2026-10-24"),  # 04:30 again after the hour that came twice
        ("2026-10-25T04:30+00:00", "2026-10-25"),
    ],
)
def test_a_day_begins_at_its_hour_when_the_clock_is_changed(
    alice: User, alices_browser: Client, closed: str, day: str
) -> None:
    account = make_account(alice)
    moment = datetime.fromisoformat(closed)
    trades_of(
        account,
        make_fill(account, 1, "BUY", "100", time=moment - timedelta(minutes=9)),
        make_fill(account, 2, "SELL", "110", time=moment),
    )
    chosen = preferences_of(alice)
    chosen.zone, chosen.day_start = "Europe/Berlin", 5
    chosen.save()
    assert [row["day"] for row in alices_browser.get("/api/calendar").json()["rows"]] == [day]
    assert day_of(moment, chosen.tzinfo, time(5)).isoformat() == day
    for first, last, count in ((day, day, 1), (day, "", 1), ("", day, 1)):
        asked = {name: value for name, value in (("from", first), ("to", last)) if value}
        assert alices_browser.get("/api/trades/summary", asked).json()["count"] == count


def test_r_of_a_sum_is_that_of_its_trades(journal: User, alices_browser: Client) -> None:
    chosen = preferences_of(journal)
    scope = Scope(journal, TradeFilter(), chosen)
    for trade in list(scope.trades)[:2]:
        stop = trade.entry_price - 7
        Annotation.objects.update_or_create(
            user=journal, trade_key=trade.key, defaults={"initial_stop": stop}
        )
    assert sums(scope).r_count == 0  # nobody asked
    chosen.unit = "risk"
    chosen.save()
    lines = with_notes(journal, list(scope.trades))
    expected = [line.r for line in lines if line.r is not None]
    found = sums(scope)
    assert (len(expected), found.r_count) == (2, 2)
    assert abs(found.r - sum(expected, D(0))) < D("1e-12")
    assert total(sums_by_day(scope).values()).r == found.r
    assert "n = 2" in alices_browser.get("/trades/").content.decode()
