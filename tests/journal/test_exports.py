"""Binance's own exports: looked at, taken in once, with reasons for what is left out."""

import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.models import Fill, Transfer
from journal.services import exports
from journal.sync.files import NotAFile
from market.models import Listing
from tests.journal.accounts import make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
SPOT = """Date(UTC),Pair,Side,Price,Executed,Amount,Fee
2024-03-02 10:01:00,BTCUSDT,BUY,100,1BTC,100USDT,0.1USDT
2024-03-02 10:05:00,BTCUSDT,SELL,"1,100.5",1BTC,"1,100.5USDT",0.00075BNB
2024-03-02 10:05:00,NOPEUSDT,SELL,1,1NOPE,1USDT,0USDT
2024-03-02 10:06:00,BTCUSDT,HOLD,1,1BTC,1USDT,0USDT
"""
FUTURES = """Uid,Time(UTC),Symbol,Side,Price,Quantity,Amount,Fee,Fee Coin,Realized Profit,Maker,Trade ID,Order ID
1,2024-03-02 10:01:00,BTCUSDT,BUY,100,1,100,0.05,USDT,0,true,77,5
1,2024-03-02 11:01:00,BTCUSDT,SELL,110,1,110,0.05,USDT,10,false,78,6
1,2021-03-02 11:01:00,BTCUSDT_210625,SELL,110,1,110,0.05,USDT,10,false,79,6
"""  # noqa: E501
STATEMENT = """User_ID,UTC_Time,Account,Operation,Coin,Change,Remark
1,2024-01-01 00:00:00,Spot,Deposit,USDT,1000,
1,2024-01-02 00:00:00,Spot,Buy,BTC,1,
1,2024-01-03 00:00:00,USDT-Futures,Funding Fee,USDT,-1,
1,2024-01-04 00:00:00,Spot,P2P Trading,USDT,50.5,
"""


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    for market in ("spot", "usdm"):
        Listing.objects.create(
            venue="simulator", market=market, symbol="BTCUSDT", base_asset="BTC",
            quote_asset="USDT", status="TRADING", tick_size=1, step_size=0, min_notional=0,
            refreshed_at=timezone.now(),
        )  # fmt: skip
    return make_account(alice)


def look(account: ExchangeAccount, text: str) -> exports.Preview:
    return exports.preview(exports.upload(account=account, name="x.csv", body=text.encode()))


def test_spot_rows_are_read_with_their_units_and_the_bad_ones_named(
    account: ExchangeAccount,
) -> None:
    found = look(account, SPOT)
    assert (found.kind, found.new, found.duplicates) == ("spot", 2, 0)
    assert [(item.line, item.reason) for item in found.skipped] == [
        (4, "NOPEUSDT is not listed"), (5, "expected BUY or SELL, was 'HOLD'"),
    ]  # fmt: skip
    sale = found.first[1]
    assert isinstance(sale, Fill)
    assert (sale.price, sale.fee, sale.fee_asset) == (D("1100.5"), D("0.00075"), "BNB")


def test_the_same_file_twice_adds_nothing(account: ExchangeAccount) -> None:
    for expected in (2, 0):
        row = exports.upload(account=account, name="x.csv", body=SPOT.encode())
        assert exports.take_in(row) == expected
    assert Fill.objects.count() == 2


def test_what_the_api_told_already_is_a_duplicate(account: ExchangeAccount) -> None:
    trades_of(account, make_fill(account, 9, "BUY", "100",
                                 time=datetime(2024, 3, 2, 10, 1, tzinfo=UTC)))  # fmt: skip
    found = look(account, SPOT)
    assert (found.new, found.duplicates) == (1, 1)


def test_futures_by_trade_id_also_of_contracts_that_are_gone(account: ExchangeAccount) -> None:
    trades_of(account, make_fill(account, 77, "BUY", "100", market="usdm"))
    found = look(account, FUTURES)
    assert (found.kind, found.new, found.duplicates) == ("usdm", 2, 1)
    old = found.first[-1]
    assert isinstance(old, Fill)
    assert (old.base, old.quote, old.realized) == ("BTC", "USDT", D(10))


def test_a_statement_gives_only_what_is_no_trade(account: ExchangeAccount) -> None:
    found = look(account, STATEMENT)
    assert (found.kind, found.new, len(found.skipped)) == ("statement", 2, 2)
    exports.take_in(exports.upload(account=account, name="x", body=STATEMENT.encode()))
    kinds = set(Transfer.objects.values_list("kind", "amount"))
    assert kinds == {("deposit", D(1000)), ("other", D("50.5"))}


def test_an_archive_is_opened_and_a_bomb_is_not(account: ExchangeAccount) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", FUTURES)
    row = exports.upload(account=account, name="x.zip", body=packed.getvalue())
    assert exports.preview(row).new == 3
    for body in (b"PK\x03\x04nonsense", b"\xff\xfe\x00", b"a,b\n", b"a,b\n1,2\n"):
        with pytest.raises(NotAFile):
            exports.preview(exports.upload(account=account, name="x", body=body))


def test_the_page_shows_before_it_takes(alices_browser: Client, account: ExchangeAccount) -> None:
    address = f"/account/exchange/{account.pk}/import/"
    file = SimpleUploadedFile("trades.csv", FUTURES.encode())
    text = alices_browser.post(address, {"file": file, "do": "look"}).content.decode()
    assert "trades.csv" in text
    assert not Fill.objects.exists()
    alices_browser.post(address, {"do": "take"})
    assert Fill.objects.count() == 3
    bad = alices_browser.post(address, {"file": SimpleUploadedFile("x", b"hm"), "do": "look"})
    assert "notice-error" in bad.content.decode()
