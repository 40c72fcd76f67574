"""Every page of the journal, with trades and without, in each unit, hidden and shown."""

import io
import zipfile
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from accounts.models import ExchangeAccount, User
from journal.models import (
    Annotation,
    Balance,
    DayNote,
    FillFlow,
    Preferences,
    SavedView,
    Screenshot,
    Setup,
    Sync,
    Trade,
)
from journal.services import live_prices
from market.models import Listing
from tests.journal.accounts import make_account, some_trades
from tests.sent import whole

pytestmark = pytest.mark.django_db
PAGES = (
    "/",
    "/trades/",
    "/calendar/",
    "/calendar/?view=year",
    "/reports/",
    "/reports/?by=hour",
    "/reports/?by=symbol&across=weekday",
    "/reports/compare/?direction=LONG",
    "/reports/execution/",
    "/reports/realized/",
    "/portfolio/",
    "/settings/",
)


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made = make_account(alice)
    some_trades(made)
    return made


@pytest.fixture
def trade(account: ExchangeAccount) -> Trade:
    found: Trade = Trade.objects.get(market="spot", net=D("9.8"))
    return found


@pytest.mark.parametrize("address", PAGES)
def test_a_page_shows_with_and_without_trades(
    alices_browser: Client, alice: User, address: str
) -> None:
    assert alices_browser.get(address).status_code == 200
    some_trades(make_account(alice))
    assert alices_browser.get(address).status_code == 200
    assert alices_browser.get(address, {"symbol": "NONE"}).status_code == 200


def test_home_shows_the_sums(alices_browser: Client, account: ExchangeAccount) -> None:
    text = alices_browser.get("/").content.decode()
    assert "+$14.40" in text  # 9.8 - 5.2 + 9.8
    assert "66.7%" in text
    assert "Binance agree" not in text


def test_the_flow_before_the_entry_stands_under_its_windows_and_sizes(
    alices_browser: Client, trade: Trade
) -> None:
    entry = trade.trade_fills.filter(is_entry=True).earliest("fill__time").fill
    windows = {
        name: {
            "buy": str(3 * n),
            "sell": str(2 * n),
            "delta": str(n),
            "bands": {"<100": str(10 * n), "1k-10k": str(-100 * n)},
        }
        for n, name in enumerate(("10s", "1m", "5m", "15m"), 1)
    }
    FillFlow.objects.create(
        fill=entry, basis="trades", windows=windows, stamped_at=timezone.now(), stage="done"
    )
    answer = alices_browser.get(f"/trades/{trade.pk}/")
    table = answer.context["flow_table"]
    assert table.windows == ["10s", "1m", "5m", "15m"]
    assert [band for band, _ in table.rows] == [
        ">=1M",
        "100k-1M",
        "10k-100k",
        "1k-10k",
        "100-1k",
        "<100",
    ]
    cells = {band: [delta for delta, _ in row] for band, row in table.rows}
    assert cells["<100"] == [D(10), D(20), D(30), D(40)]
    assert cells["1k-10k"] == [D(-100), D(-200), D(-300), D(-400)]
    assert cells[">=1M"] == [D(0)] * 4
    assert table.totals == [D(1), D(2), D(3), D(4)]
    assert table.shares == [D("0.2")] * 4
    text = answer.content.decode()
    assert text.index("≥1M") < text.index("1k–10k") < text.index("&lt;100")


def test_amounts_are_hidden_everywhere(
    alices_browser: Client, account: ExchangeAccount, trade: Trade
) -> None:
    alices_browser.post("/settings/display/", {"hide": "1", "next": "/"})
    Trade.objects.update(slippage=D("0.73"))
    for address in (
        "/",
        "/trades/",
        "/reports/",
        f"/trades/{trade.pk}/",
        "/reports/realized/",
        "/reports/execution/",
    ):
        text = alices_browser.get(address).content.decode()
        assert "•••" in text
        assert "0.73" not in text, address
        assert "9.80 USDT" not in text, address
        assert "$9.80" not in text, address


def test_the_unit_changes_results(alices_browser: Client, account: ExchangeAccount) -> None:
    alices_browser.post("/settings/display/", {"unit": "percent", "next": "/trades/"})
    assert "+9.80%" in alices_browser.get("/trades/").content.decode()
    refused = alices_browser.post("/settings/display/", {"unit": "bananas"})
    assert refused.status_code == 400


def test_nobody_is_sent_elsewhere_by_the_unit(alices_browser: Client) -> None:
    answer = alices_browser.post(
        "/settings/display/", {"unit": "risk", "next": "https://evil.example"}
    )
    assert answer["Location"] == "/"


def test_a_trade_shows_its_fills_and_says_what_is_not_covered(
    alices_browser: Client, trade: Trade
) -> None:
    text = alices_browser.get(f"/trades/{trade.pk}/").content.decode()
    assert "+9.80 USDT" in text
    assert "Not enough market data for this trade." in text
    assert "No stop recorded" in text
    assert alices_browser.get(f"/trades/{trade.pk}/replay/").status_code == 200


def test_the_first_stop_stays_and_r_is_measured_by_it(
    alices_browser: Client, alice: User, trade: Trade
) -> None:
    Setup.objects.create(user=alice, name="Fade", rules=["wait", "small"])
    address = f"/trades/{trade.pk}/note/"
    first = {"planned_stop": "95", "setup": "Fade", "tags": "a, b", "note": "**bold** <script>x"}
    alices_browser.post(address, first)
    alices_browser.post(address, {"planned_stop": "99", "rules": "1", "rules_kept": ["0"]})
    note = Annotation.objects.get()
    assert (note.initial_stop, note.planned_stop) == (D(95), D(99))
    assert note.rules_kept == [0]
    page = alices_browser.get(f"/trades/{trade.pk}/").content.decode()
    assert "+1.96R" in page  # 9.8 / 5
    assert "<strong>bold</strong>" in page
    assert "<script>x" not in page


def test_saving_keeps_the_list_that_the_trade_was_opened_from(
    alices_browser: Client, trade: Trade
) -> None:
    page = alices_browser.get(f"/trades/{trade.pk}/?flow=unknown&sort=net").content.decode()
    assert f"/trades/{trade.pk}/note/?flow=unknown&amp;sort=net" in page
    saved = alices_browser.post(f"/trades/{trade.pk}/note/?flow=unknown&sort=net", {"note": "x"})
    assert saved["Location"] == f"/trades/{trade.pk}/?flow=unknown&sort=net"


def test_a_bad_plan_is_refused_and_nothing_changes(alices_browser: Client, trade: Trade) -> None:
    answer = alices_browser.post(
        f"/trades/{trade.pk}/note/", {"planned_stop": "many", "note": "lost?"}, follow=True
    )
    assert "Expected a price" in answer.content.decode()
    assert not Annotation.objects.exclude(note="").exists()


def test_notes_survive_a_rebuild(
    alices_browser: Client, alice: User, account: ExchangeAccount, trade: Trade
) -> None:
    alices_browser.post(f"/trades/{trade.pk}/note/", {"note": "keep me"})
    alices_browser.post(
        "/settings/", {"method": "average", "zone": "Asia/Seoul", "day_start": 0, "currency": "USD"}
    )
    assert Preferences.objects.get(user=alice).zone == "Asia/Seoul"
    page = alices_browser.get(f"/trades/{Trade.objects.get(key=trade.key).pk}/")
    assert "keep me" in page.content.decode()


def test_review_goes_on_to_the_next(alices_browser: Client, trade: Trade) -> None:
    for _ in range(3):
        following = alices_browser.get("/trades/review/")["Location"]
        alices_browser.post(f"{following}note/", {"do": "reviewed"})
    assert alices_browser.get("/trades/review/")["Location"] == "/"
    assert Annotation.objects.exclude(reviewed_at=None).count() == 3


def test_filters_are_kept_under_a_name(alices_browser: Client, account: ExchangeAccount) -> None:
    alices_browser.post("/trades/views/?symbol=BTCUSDT&direction=LONG", {"name": "longs"})
    assert SavedView.objects.get().query == "symbol=BTCUSDT&direction=LONG"
    assert "longs" in alices_browser.get("/trades/").content.decode()


def test_a_bad_filter_says_what_was_expected(alices_browser: Client) -> None:
    text = alices_browser.get("/trades/?from=yesterday").content.decode()
    assert "expected a day such as" in text


def test_csv_and_excel_hold_every_trade(alices_browser: Client, account: ExchangeAccount) -> None:
    answer = alices_browser.get("/trades/?format=xlsx")
    book = zipfile.ZipFile(io.BytesIO(whole(answer)))
    assert "xl/worksheets/sheet1.xml" in book.namelist()
    assert alices_browser.get("/trades/?format=csv").status_code == 200


def test_a_day_note_is_shown_in_its_month(alices_browser: Client) -> None:
    alices_browser.post("/calendar/2026-03-02/", {"note": "slow *day*"})
    assert DayNote.objects.count() == 1
    assert "<em>day</em>" in alices_browser.get("/calendar/?month=2026-03").content.decode()
    alices_browser.post("/calendar/2026-03-02/", {"note": ""})
    assert not DayNote.objects.exists()
    assert alices_browser.post("/calendar/never/", {"note": "x"}).status_code == 404


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40)) -> SimpleUploadedFile:
    packed = io.BytesIO()
    Image.new("RGB", size, "red").save(packed, kind, exif=b"Exif\0\0secret place")
    return SimpleUploadedFile("x.png", packed.getvalue())


def test_a_picture_is_encoded_anew_and_its_owners_only(
    alices_browser: Client, bob: User, trade: Trade
) -> None:
    alices_browser.post(f"/trades/{trade.pk}/pictures/", {"picture": picture("JPEG")})
    row = Screenshot.objects.get()
    assert b"secret place" not in bytes(row.image)
    answer = alices_browser.get(f"/pictures/{row.pk}/")
    assert answer["Content-Type"] == "image/webp"
    stranger = Client()
    stranger.force_login(bob)
    assert stranger.get(f"/pictures/{row.pk}/").status_code == 404
    assert stranger.post(f"/pictures/{row.pk}/remove/").status_code == 404


@pytest.mark.parametrize("body", [b"", b"<svg onload=alert(1)>", b"\x89PNG\r\n\x1a\nnothing"])
def test_what_is_no_picture_is_refused(alices_browser: Client, trade: Trade, body: bytes) -> None:
    file = SimpleUploadedFile("x.png", body)
    alices_browser.post(f"/trades/{trade.pk}/pictures/", {"picture": file})
    assert not Screenshot.objects.exists()


def test_a_refused_form_keeps_what_was_written(alices_browser: Client, trade: Trade) -> None:
    answer = alices_browser.post(
        f"/trades/{trade.pk}/note/", {"planned_stop": "0.00000000000000000001", "note": "long text"}
    )
    assert answer.status_code == 400
    assert "long text" in answer.content.decode()
    assert not Annotation.objects.exclude(initial_stop=None).exists()


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/trades/bulk/?from=zz", {"do": "review", "id": ["²"]}),
        ("/trades/views/?market=zz", {"name": "a\0b"}),
        ("/trades/bulk/", {"do": "tag", "name": "a\0b"}),
        ("/calendar/2026-03-02/", {"note": "a\0b"}),
        ("/settings/change/", {"do": "delete-tag", "id": "²"}),
        ("/settings/change/", {"do": "add-setup", "name": "a\0b", "rules": "x\0"}),
    ],
)
def test_odd_input_is_no_error_of_ours(
    alices_browser: Client, account: ExchangeAccount, address: str, form: dict[str, str]
) -> None:
    assert alices_browser.post(address, form).status_code in {302, 400}


@pytest.mark.parametrize("name", ["symbol", "tag", "setup"])
def test_a_nul_in_a_filter_is_refused(alices_browser: Client, name: str) -> None:
    assert alices_browser.get("/trades/", {name: "a\0b"}).status_code == 400
    for path in ("trades", "trades/summary", "dashboard", "calendar", "reports", "fills"):
        assert alices_browser.get(f"/api/{path}", {name: "a\0b"}).status_code == 400


def test_the_api_refuses_what_is_no_change(alices_browser: Client, trade: Trade) -> None:
    for body in ("[1]", '"x"', '{"colour": "red"}', '{"rating": 9}'):
        answer = alices_browser.patch(
            f"/api/trades/{trade.pk}", body, content_type="application/json"
        )
        assert answer.status_code == 400
    assert alices_browser.get("/api/trades", {"limit": "9" * 5000}).status_code == 400


def test_a_calendar_day_keeps_the_filters(alices_browser: Client, account: ExchangeAccount) -> None:
    text = alices_browser.get("/calendar/?month=2026-03&market=spot").content.decode()
    assert "market=spot&amp;from=2026-03-02" in text


def test_the_portfolio_adds_up_what_is_held(
    alices_browser: Client, account: ExchangeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wallet, asset, held in (("spot", "USDT", 100), ("usdm", "USDT", 50), ("spot", "ETH", 2)):
        Balance.objects.create(
            account=account,
            wallet=wallet,
            asset=asset,
            free=held,
            locked=0,
            updated_at=timezone.now(),
        )
    now_ms = int(timezone.now().timestamp() * 1000)
    Listing.objects.create(
        venue="simulator",
        market="spot",
        symbol="ETHUSDT",
        base_asset="ETH",
        quote_asset="USDT",
        status="TRADING",
        tick_size=1,
        step_size=1,
        min_notional=1,
        refreshed_at=timezone.now(),
    )
    monkeypatch.setattr(live_prices, "_routes", {})
    live_prices.keep_prices("spot", {"ETHUSDT": "300"}, now_ms)
    text = alices_browser.get("/portfolio/").content.decode()
    assert "$750.00" in text
    assert "80.0%" in text  # 600 of 750 is ether


def test_a_reading_says_how_far_it_is_and_how_long_it_takes(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    Sync.objects.create(
        account=account,
        state="running",
        note="Reading %(symbol)s: orders",
        note_values={"symbol": "BTCUSDT"},
        done=100,
        expected=300,
        started_at=timezone.now() - timedelta(seconds=60),
    )
    text = alices_browser.get(f"/account/exchange/{account.pk}/history/").content.decode()
    assert "Reading BTCUSDT: orders" in text
    assert "100 of about 300 requests" in text
    assert "2m" in text
    waiting = alices_browser.get("/", follow=True).content.decode()
    assert "Reading BTCUSDT: orders" in waiting
    alices_browser.post("/start/on/")
    assert "Reading BTCUSDT: orders" in alices_browser.get("/").content.decode()
