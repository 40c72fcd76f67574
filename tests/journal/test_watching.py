"""Watch-lists: one's own, in order; what is watched or held is followed, within a limit."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from redis import Redis

from accounts.models import User
from journal.models import Trade, Watchlist
from journal.services import watching
from market.collector.shares import names
from market.flow.bands import SETS
from market.flow.tape import TapeBuilder
from market.flow.trades import Trade as MarketTrade
from market.hot import keys
from market.hot.codec import State, bar_fields
from market.instruments import InstrumentKey
from market.models import Instrument, Listing
from market.selectors import overview
from market.services.following import follow, follow_first_symbols, unfollow, want
from tests.conftest import KEY, MakeInstrument
from tests.journal.accounts import make_account, some_trades

pytestmark = pytest.mark.django_db
SPOT, FUTURE = ("spot", "BTCUSDT"), ("usdm", "BTCUSDT")


@pytest.fixture(autouse=True)
def listed(db: None) -> None:
    for market, symbol, status in (
        (*SPOT, "TRADING"),
        (*FUTURE, "TRADING"),
        ("spot", "ETHUSDT", "HALT"),
        ("spot", "OLDUSDT", "DELISTED"),
        ("spot", "币安人生USDT", "TRADING"),
    ):
        Listing.objects.create(
            venue="simulator",
            market=market,
            symbol=symbol,
            base_asset=symbol[:-4],
            quote_asset="USDT",
            status=status,
            tick_size=1,
            step_size=1,
            min_notional=1,
            refreshed_at=timezone.now(),
        )


def followed() -> set[tuple[str, str]]:
    rows = Instrument.objects.filter(is_followed=True)
    return set(rows.values_list("market", "symbol"))


def as_json(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"market": market, "symbol": symbol} for market, symbol in pairs]


def send(browser: Client, method: str, path: str, body: Any) -> Any:
    call = getattr(browser, method)
    return call(path, json.dumps(body), content_type="application/json")


def test_lists_are_made_ordered_changed_and_removed(alices_browser: Client) -> None:
    first = send(alices_browser, "post", "/api/watchlists", {"name": " Majors "})
    assert (first.status_code, first.json()["name"]) == (201, "Majors")
    markets = as_json([FUTURE, ("spot", "币安人生USDT")])
    second = send(alices_browser, "post", "/api/watchlists", {"name": "More", "markets": markets})
    assert second.json()["markets"] == markets
    assert followed() == {FUTURE, ("spot", "币安人生USDT")}
    path = f"/api/watchlists/{second.json()['id']}"
    send(alices_browser, "patch", path, {"position": 0, "markets": markets[::-1]})
    rows = alices_browser.get("/api/watchlists").json()["rows"]
    assert [row["name"] for row in rows] == ["More", "Majors"]
    assert rows[0]["markets"] == markets[::-1]
    assert alices_browser.delete(path).status_code == 204
    assert followed() == set()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"name": "taken"}, "name"),
        ({"name": "x", "markets": "BTCUSDT"}, "markets"),
        ({"name": "x", "markets": [{"market": "moon", "symbol": "BTCUSDT"}]}, "markets"),
        ({"name": "x", "markets": as_json([("spot", "NOPE")])}, "markets"),
        ({"name": "x", "markets": as_json([("spot", "OLDUSDT")])}, "markets"),
    ],
)
def test_wrong_lists_are_refused_and_nothing_changes(
    alices_browser: Client, alice: User, body: dict[str, Any], field: str
) -> None:
    watching.create(user=alice, name="taken")
    answer = send(alices_browser, "post", "/api/watchlists", body)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert Watchlist.objects.count() == 1


def test_the_limit_is_said_plainly(
    alices_browser: Client, settings: Any, make_instrument: MakeInstrument
) -> None:
    settings.FOLLOW_LIMIT = 1
    make_instrument()
    body = {"name": "x", "markets": as_json([SPOT, FUTURE])}
    answer = send(alices_browser, "post", "/api/watchlists", body)
    assert "follows 1 markets at most" in answer.json()["markets"][0]
    body["markets"] = as_json([SPOT])  # followed anyway
    assert send(alices_browser, "post", "/api/watchlists", body).status_code == 201


def test_what_is_held_comes_before_what_is_watched(alice: User, settings: Any) -> None:
    some_trades(make_account(alice))
    Trade.objects.update(closed_at=None, market="usdm", symbol="BTCUSDT")
    watching.create(user=alice, name="x", markets=as_json([SPOT]))
    assert followed() == {SPOT, FUTURE}
    settings.FOLLOW_LIMIT = 1
    assert [key.market for key in watching.follow_wanted()] == ["spot"]
    assert followed() == {FUTURE}


def test_what_is_pinned_stays_and_what_nobody_wants_goes() -> None:
    pinned, wanted = InstrumentKey("simulator", *SPOT), InstrumentKey("simulator", *FUTURE)
    follow(key=pinned)
    assert want(lambda: [wanted]) == []
    assert followed() == {SPOT, FUTURE}
    assert [name.rpartition(":")[0] for name in names()] == ["simulator:spot", "simulator:usdm"]
    want(list)
    assert followed() == {SPOT}
    unfollow(key=pinned)
    want(list)
    assert followed() == set()


@pytest.mark.parametrize(
    ("symbols", "expected"),
    [
        (["BTCUSDT"], {SPOT, FUTURE}),
        (["spot:BTCUSDT"], {SPOT}),
        (["usdm:BTCUSDT", "ETHUSDT"], {FUTURE, ("spot", "ETHUSDT")}),
    ],
)
def test_the_first_symbols(
    symbols: list[str], expected: set[tuple[str, str]], settings: Any
) -> None:
    settings.MARKET_SYMBOLS = symbols
    follow_first_symbols()
    assert followed() == expected
    gone = next(iter(expected))
    unfollow(key=InstrumentKey("simulator", *gone))
    follow_first_symbols()
    assert followed() == expected - {gone}


# --- figures ------------------------------------------------------------------------------------

END = 2_000_000_030  # far ahead: a tape that stands still is not told


def keep(client: Redis, trades: list[MarketTrade], covered_from: int) -> None:
    """A tape in Redis as a collector leaves it."""
    builder = TapeBuilder(SETS["usd-1"])
    builder.apply(trades, 0)
    bars = [bar for minute in builder.held.values() for bar in minute.values()]
    minutes: dict[int, Any] = {}
    for bar in sorted(bars, key=lambda bar: bar.time):
        client.hset(keys.bar(KEY, "1s", bar.time), mapping=bar_fields(bar))
        whole = minutes.setdefault(bar.time // 60 * 60, type(bar)(bar.time // 60 * 60))
        whole.add(bar)
    for at, bar in minutes.items():
        client.hset(keys.bar(KEY, "1m", at), mapping=bar_fields(bar))
    state = State(trades[-1].id, 0, END, covered_from, END * 1000, 1_000_000, None)
    client.hset(keys.state(KEY), mapping={**state.fields(), "price": str(7 * 10**8)})


def test_windows_are_exact_to_the_second(empty_redis: Redis) -> None:
    unit = 10**8
    ages = [3601, 3600, 1800, 301, 300, 61, 60, 1]  # bought 1, 2, 4, … in quote
    trades = [
        MarketTrade(n + 1, unit, 2**n * unit, (END - age) * 1_000_000, n == 7)
        for n, age in enumerate(ages)
    ]
    keep(empty_redis, trades, covered_from=(END - 4000) * 1000)
    [line] = overview.lines([KEY])
    assert line.deltas == {
        "1m": str(64 - 128),
        "5m": str(16 + 32 + 64 - 128),
        "1h": str(2 + 4 + 8 + 16 + 32 + 64 - 128),
    }
    assert line.price == "7"
    assert (line.line[0], len(line.line)) == ("0", 61)


def test_a_window_that_is_not_whole_is_not_told(empty_redis: Redis) -> None:
    trade = MarketTrade(1, 10**8, 10**8, (END - 1) * 1_000_000, False)
    keep(empty_redis, [trade], covered_from=(END - 200) * 1000)
    [line] = overview.lines([KEY])
    assert line.deltas == {"1m": "1", "5m": None, "1h": None}
    [nothing] = overview.lines([InstrumentKey("simulator", "spot", "NOPE")])
    assert nothing.as_answer()["delta"] == {"1m": None, "5m": None, "1h": None}


def test_studies_are_remembered_for_the_user(alices_browser: Client) -> None:
    path = "/api/market-view"
    assert alices_browser.get(path).json() == {"studies": []}
    wanted = {"studies": ["SMA:20", "marks", "pair", "marks"]}
    assert send(alices_browser, "put", path, wanted).json()["studies"] == [
        "sma:20",
        "marks",
        "pair",
    ]
    for wrong in ({"studies": ["moon"]}, {"studies": "rsi"}, {"studies": ["rsi:14"] * 13}, {}):
        assert send(alices_browser, "put", path, wrong).status_code == 400
    assert len(alices_browser.get(path).json()["studies"]) == 3


def test_a_market_that_nobody_follows_is_followed_from_its_page(alices_browser: Client) -> None:
    page = alices_browser.get("/market/usdm/btcusdt/")
    assert (page.status_code, followed()) == (200, set())
    assert b"Nobody follows this market yet" in page.content
    for market, symbol in (FUTURE, SPOT, FUTURE):  # asked for twice it is there once
        answer = alices_browser.post("/follow/", {"market": market, "symbol": symbol})
        assert answer.status_code == 302
    assert followed() == {FUTURE, SPOT}
    [made] = Watchlist.objects.all()
    assert [(row.market, row.symbol) for row in made.markets.all()] == [FUTURE, SPOT]
    assert answer["Location"] == "/market/usdm/BTCUSDT/"
    page = alices_browser.get("/market/usdm/BTCUSDT/")
    assert b"data-market" in page.content
    assert b"Nobody follows" not in page.content
    watching.remove(watchlist=made)  # let go: what was collected is shown, and it can be followed
    page = alices_browser.get("/market/usdm/BTCUSDT/")
    assert b"data-market" in page.content
    assert b"Nobody follows this market any more" in page.content
    assert b'action="/follow/"' in page.content


def test_what_fits_a_search_best_comes_first(alices_browser: Client) -> None:
    for symbol, base, quote in (("ETHBTC", "ETH", "BTC"), ("AAVEBTC", "AAVE", "BTC")):
        Listing.objects.create(
            venue="simulator",
            market="spot",
            symbol=symbol,
            base_asset=base,
            quote_asset=quote,
            status="TRADING",
            tick_size=1,
            step_size=1,
            min_notional=1,
            refreshed_at=timezone.now(),
        )

    def search(word: str) -> list[tuple[str, str]]:
        rows = alices_browser.get("/api/instruments", {"search": word}).json()["rows"]
        return [(row["market"], row["symbol"]) for row in rows]

    assert search("btc") == [SPOT, FUTURE, ("spot", "AAVEBTC"), ("spot", "ETHBTC")]
    assert search("ethbtc") == [("spot", "ETHBTC")]
    assert search("eth")[:2] == [("spot", "ETHBTC"), ("spot", "ETHUSDT")]


@pytest.mark.parametrize(
    ("market", "symbol"),
    [("spot", "NOPEUSDT"), ("moon", "BTCUSDT"), ("spot", ""), ("spot", "OLDUSDT"), ("", "\0")],
)
def test_what_is_not_listed_cannot_be_followed_from_a_page(
    alices_browser: Client, market: str, symbol: str
) -> None:
    answer = alices_browser.post("/follow/", {"market": market, "symbol": symbol}, follow=True)
    assert b"Expected" in answer.content
    assert not Watchlist.objects.exists()
    assert alices_browser.get("/market/OLDUSDT/").status_code == 404
