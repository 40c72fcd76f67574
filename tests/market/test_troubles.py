"""What is wrong is told: on the status page, on the market's page, and by `complete`."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from lib.dates import to_ms
from market.archive import bans, troubles
from market.archive.coverage import Stretch, add
from market.archive.troubles import ALL, News
from market.binance.errors import TryAgain
from market.models import Instrument, Listing, Trouble
from market.selectors.reading import read_span
from market.selectors.status import tape_statuses
from market.services import listings
from market.services.following import find_followed, want
from tests.conftest import MakeInstrument

pytestmark = pytest.mark.django_db


def listed(symbol: str, status: str = "TRADING", **more: Any) -> Listing:
    given = {"refreshed_at": timezone.now(), "base_asset": symbol[:-4], "quote_asset": "USDT"}
    return Listing.objects.create(
        venue="simulator",
        market="spot",
        symbol=symbol,
        status=status,
        tick_size=Decimal(1),
        step_size=Decimal(1),
        min_notional=Decimal(1),
        **(given | more),
    )


def info(*symbols: str, status: str = "TRADING") -> dict[str, Any]:
    return {
        "symbols": [
            {
                "symbol": name,
                "status": status,
                "baseAsset": name[:-4],
                "quoteAsset": "USDT",
                "filters": [],
            }
            for name in symbols
        ]
    }


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What exchangeInfo answers, to be filled."""
    answer: dict[str, Any] = {}

    async def ask(path: str) -> Any:
        return answer

    monkeypatch.setattr(listings, "_ask", ask)
    return answer


# --- markets that are not traded ----------------------------------------------------------------


def test_a_halted_market_is_told_let_go_and_comes_back_by_itself(
    alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    halted = make_instrument("BTCUSDT")
    make_instrument("ETHUSDT")
    row = listed("BTCUSDT", "BREAK")
    listed("ETHUSDT")
    assert [item.key.symbol for item in find_followed("spot")] == ["ETHUSDT"]
    [first, second] = tape_statuses([halted, Instrument.objects.get(symbol="ETHUSDT")])
    assert (first.state, second.state) == ("not traded", "unknown")
    assert "not traded (BREAK)" in alices_browser.get("/status/").content.decode()
    page = alices_browser.get("/market/BTCUSDT/").content.decode()
    assert "does not trade this market now (BREAK)" in page
    assert "does not trade" not in alices_browser.get("/market/ETHUSDT/").content.decode()
    want(lambda: [])  # whoever is pinned stays so
    row.status = "TRADING"
    row.save()
    assert len(find_followed("spot")) == 2


def test_a_word_that_nobody_knows_lets_no_tape_go(make_instrument: MakeInstrument) -> None:
    make_instrument("BTCUSDT")
    listed("BTCUSDT", "SOMETHING_NEW")
    assert len(find_followed("spot")) == 1


def test_the_list_is_asked_for_sooner_while_a_followed_market_is_not_traded(
    make_instrument: MakeInstrument, said: dict[str, Any]
) -> None:
    make_instrument("BTCUSDT")
    minutes_ago = timezone.now() - timedelta(minutes=10)
    listed("BTCUSDT", "TRADING", refreshed_at=minutes_ago)
    said |= info("BTCUSDT", status="BREAK")
    listings.refresh_if_stale("spot")
    assert Listing.objects.get().status == "TRADING"  # an hour has not passed
    troubles.keep([News(Instrument.objects.get().pk, "refused", "gap 1", "-1121")])
    listings.refresh_if_stale("spot")
    assert Listing.objects.get().status == "BREAK"
    Trouble.objects.all().delete()
    Listing.objects.update(refreshed_at=minutes_ago)
    said |= info("BTCUSDT")
    listings.refresh_if_stale("spot")
    assert Listing.objects.get().status == "TRADING"


# --- the exchange's list ------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [{"symbols": []}, {}, [], info("AUSDT")])
def test_a_list_that_lacks_most_symbols_is_refused(said: dict[str, Any], answer: Any) -> None:
    for name in ("AUSDT", "BUSDT", "CUSDT"):
        listed(name)
    said |= answer if isinstance(answer, dict) else {}
    with pytest.raises(TryAgain, match="symbols"):
        listings.refresh("spot")
    assert set(Listing.objects.values_list("status", flat=True)) == {"TRADING"}


def test_one_symbol_that_cannot_be_read_is_left_out_alone(said: dict[str, Any]) -> None:
    said |= info("AUSDT", "BUSDT")
    said["symbols"] += [{"symbol": "ILLUSDT"}, 7]
    said["symbols"][1]["filters"] = [{"filterType": "PRICE_FILTER", "tickSize": "x"}]
    assert listings.refresh("spot") == 1
    assert Listing.objects.get().symbol == "AUSDT"


# --- the status page ----------------------------------------------------------------------------


def test_bans_and_troubles_stand_on_the_status_page(
    alices_browser: Client, make_instrument: MakeInstrument
) -> None:
    instrument = make_instrument("BTCUSDT")
    bans.remember("https://api.example.org", 300, "Binance answered 451: restricted location")
    bans.remember("https://old.example.org", -120, "Binance answered 403")
    troubles.keep(
        [
            News(instrument.pk, "row", "1193", "rows of trades: 9 places"),
            News(instrument.pk, "refused", "gap 5", "gap: Binance said -1121"),
        ]
    )
    page = alices_browser.get("/status/").content.decode()
    assert "Binance answered 451: restricted location" in page
    assert "old.example.org" not in page
    assert "rows of trades: 9 places" in page
    assert "gap: Binance said -1121" in page
    troubles.keep([News(instrument.pk, "refused", "gap 5", "")])
    assert "gap: Binance" not in alices_browser.get("/status/").content.decode()


def test_a_collector_that_begins_forgets_what_was_refused_and_keeps_rows(
    make_instrument: MakeInstrument,
) -> None:
    one, other = make_instrument("BTCUSDT"), make_instrument("ETHUSDT")
    told = [News(pk, kind, "x", "text") for pk in (one.pk, other.pk) for kind in ("row", "parked")]
    troubles.keep(told)
    troubles.keep([News(one.pk, "parked", ALL, ""), News(one.pk, "parked", "y", "newer")])
    left = Trouble.objects.values_list("instrument__symbol", "kind", "key")
    assert set(left) == {
        ("BTCUSDT", "row", "x"),
        ("BTCUSDT", "parked", "y"),
        ("ETHUSDT", "row", "x"),
        ("ETHUSDT", "parked", "x"),
    }


# --- complete -----------------------------------------------------------------------------------


def test_nothing_that_is_over_is_forgiven(make_instrument: MakeInstrument) -> None:
    instrument = make_instrument()
    start = to_ms(timezone.now() - timedelta(days=20)) // 86_400_000 * 86_400_000
    day = 86_400_000
    add(instrument.pk, [Stretch(1, 9, start, start + 2 * day + day // 2)])
    whole = read_span(instrument, "1d", start, start + 2 * day)
    assert whole.is_whole
    cut = read_span(instrument, "1d", start, start + 3 * day)
    assert not cut.is_whole  # half of its last day is missing, and that day is over


def test_the_bar_that_runs_now_is_not_over(make_instrument: MakeInstrument) -> None:
    instrument = make_instrument()
    now = to_ms(timezone.now())
    day = 86_400_000
    start = now // day * day - day
    add(instrument.pk, [Stretch(1, 9, start, start + day + 1)])  # nothing of today
    assert read_span(instrument, "1d", start, start + 2 * day).is_whole
