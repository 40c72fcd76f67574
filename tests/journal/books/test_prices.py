"""Dollars of a minute: by the coin's own market, the other way round, crossed; and what is said
where there is no candle."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.books import prices, settling
from journal.books.due import due_books
from journal.models import AssetPrice, Book, LedgerProblem, OpenPosition
from journal.sync.saving import save_fills
from lib.dates import to_ms
from lib.parking import Parking
from market.binance.errors import Refused, TryAgain
from market.models import Listing
from tests.journal.accounts import START, make_account, make_fill

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Candles:
    """What the exchange's klines answer: a close a minute, or nothing, and what was asked."""

    def __init__(self, **closes: dict[datetime, str]) -> None:
        self.closes = closes
        self.asked: list[str] = []

    def __call__(self, path: str, **params: Any) -> list[list[Any]]:
        assert path == "/api/v3/klines"
        assert params["interval"] == "1m"
        symbol = params["symbol"]
        self.asked.append(symbol)
        if symbol not in self.closes:
            raise Refused(-1121, "Invalid symbol.")
        rows = [
            [to_ms(minute), "0", "0", "0", close]
            for minute, close in sorted(self.closes[symbol].items())
            if params["startTime"] <= to_ms(minute) <= params["endTime"]
        ]
        return rows[: params["limit"]]


def listed(*pairs: str, status: str = "TRADING") -> None:
    """`BTC/USDT` and so on."""
    for pair in pairs:
        base, quote = pair.split("/")
        Listing.objects.create(
            venue="simulator",
            market="spot",
            symbol=base + quote,
            base_asset=base,
            quote_asset=quote,
            status=status,
            tick_size=0,
            step_size=0,
            min_notional=0,
            refreshed_at=timezone.now(),
        )


def price_of(asset: str, moment: datetime = NOON) -> prices.Priced | None:
    return prices.load({(asset, moment)}).get((asset, moment))


def test_a_coin_is_priced_by_its_own_dollar_market() -> None:
    listed("SOL/USDT", "SOL/USDC")
    exchange = Candles(SOLUSDT={NOON: "150.5"}, SOLUSDC={NOON: "999"})
    assert prices.fetch({("SOL", NOON + timedelta(seconds=40))}, exchange) == 1
    assert price_of("SOL") == prices.Priced(D("150.5"), NOON)
    assert exchange.asked == ["SOLUSDT"]


def test_a_currency_is_priced_by_the_market_the_other_way_round() -> None:
    listed("USDT/TRY")
    prices.fetch({("TRY", NOON)}, Candles(USDTTRY={NOON: "43.77"}))
    known = price_of("TRY")
    assert known is not None
    # 1 / 43.77, to eighteen digits and more
    assert known.price == D("0.02284669865204477952935801")
    assert abs(known.price * D("43.77") - 1) < D("1e-18")


def test_a_coin_without_dollars_is_crossed_in_both_directions() -> None:
    listed("XMR/BTC", "BTC/USDT", "ETH/ABC", "ETH/USDT")
    exchange = Candles(
        XMRBTC={NOON: "0.0025"},
        BTCUSDT={NOON: "60000"},
        ETHABC={NOON: "8"},
        ETHUSDT={NOON: "3000"},
    )
    prices.fetch({("XMR", NOON), ("ABC", NOON)}, exchange)
    assert price_of("XMR") == prices.Priced(D(150), NOON)
    assert price_of("ABC") == prices.Priced(D(375), NOON)
    assert AssetPrice.objects.get(asset="XMR").symbol == "XMRBTC BTCUSDT"


def test_a_minute_without_a_candle_is_worth_the_last_close_of_the_hour_before() -> None:
    listed("SOL/USDT", "XMR/BTC", "BTC/USDT")
    earlier = NOON - 17 * MINUTE
    exchange = Candles(
        SOLUSDT={earlier: "140", earlier - MINUTE: "139"},
        XMRBTC={NOON - 3 * MINUTE: "0.01"},
        BTCUSDT={NOON - 60 * MINUTE: "50000"},
    )
    prices.fetch({("SOL", NOON), ("XMR", NOON)}, exchange)
    assert price_of("SOL") == prices.Priced(D(140), earlier)
    assert price_of("XMR") == prices.Priced(D(500), NOON - 60 * MINUTE)  # of the older leg


def test_older_than_an_hour_is_not_asked_for_and_what_is_known_stands_in() -> None:
    listed("SOL/USDT")
    exchange = Candles(SOLUSDT={NOON - 61 * MINUTE: "140"})
    assert prices.fetch({("SOL", NOON)}, exchange) == 1
    row = AssetPrice.objects.get()
    assert (row.price, row.is_final) == (None, True)
    assert price_of("SOL") is None
    assert prices.fetch({("SOL", NOON)}, exchange) == 0
    days_before = NOON - timedelta(days=3)
    prices.fetch({("SOL", days_before)}, Candles(SOLUSDT={days_before - 5 * MINUTE: "120"}))
    assert price_of("SOL") == prices.Priced(D(120), days_before - 5 * MINUTE)


def test_a_delisted_market_is_the_market_of_its_time() -> None:
    listed("LUNA/BUSD", status="DELISTED")
    listed("LUNA/USDT", "LUNA/USDC")
    exchange = Candles(LUNAUSDT={}, LUNABUSD={NOON: "80"})
    prices.fetch({("LUNA", NOON), ("LUNA", NOON - timedelta(days=9))}, exchange)
    assert price_of("LUNA") == prices.Priced(D(80), NOON)
    # a symbol that the exchange does not know is not asked for with each page
    assert exchange.asked.count("LUNAUSDC") == 1


def test_a_market_of_nobody_asks_nothing() -> None:
    exchange = Candles()
    assert prices.fetch({("NOWHERE", NOON), ("USDT", NOON)}, exchange) == 0
    assert exchange.asked == []
    assert prices.load({("USDT", NOON), ("NOWHERE", NOON)}) == {
        ("USDT", NOON): prices.Priced(D(1), NOON)
    }


def test_many_minutes_are_one_page() -> None:
    listed("SOL/USDT")
    minutes = [NOON + number * MINUTE for number in range(900)]
    exchange = Candles(SOLUSDT={minute: str(number + 1) for number, minute in enumerate(minutes)})
    assert prices.fetch({("SOL", minute) for minute in minutes}, exchange) == 900
    assert exchange.asked == ["SOLUSDT"]
    known = prices.load({("SOL", minutes[0]), ("SOL", minutes[899])})
    assert [priced.price for priced in known.values()] == [D(1), D(900)]


def test_loading_asks_once_for_all_coins_however_far_apart_their_minutes_are(
    django_assert_num_queries: Any,
) -> None:
    listed("SOL/USDT", "BNB/USDT")
    years = [NOON - timedelta(days=365 * number) for number in range(4)]
    candles = Candles(SOLUSDT=dict.fromkeys(years, "7"), BNBUSDT={NOON: "600"})
    prices.fetch({("SOL", day) for day in years} | {("BNB", NOON)}, candles)
    needs = {("SOL", day) for day in years} | {("BNB", day) for day in years}
    with django_assert_num_queries(1):
        known = prices.load(needs | {("USDT", NOON), ("NOWHERE", NOON)})
    assert known == {
        **{("SOL", day): prices.Priced(D(7), day) for day in years},
        ("BNB", NOON): prices.Priced(D(600), NOON),
        ("USDT", NOON): prices.Priced(D(1), NOON),
    }


def test_an_open_minute_is_asked_for_again_when_it_is_over() -> None:
    listed("SOL/USDT")
    now = prices.minute_of(timezone.now())
    prices.fetch({("SOL", now)}, Candles(SOLUSDT={now: "10"}))
    assert not AssetPrice.objects.get().is_final
    assert prices.open_ones() == set()
    AssetPrice.objects.update(minute=now - 5 * MINUTE)
    [need] = prices.open_ones()
    prices.keep(prices.ask_again(need, Candles(SOLUSDT={now - 5 * MINUTE: "11"})))
    assert price_of("SOL", now) == prices.Priced(D(11), now - 5 * MINUTE)
    assert AssetPrice.objects.get().is_final


# --- two accounts of which one is ill -------------------------------------------------------------


class Answers:
    """A reader whose public questions `ask` answers."""

    def __init__(self, ask: Any) -> None:
        self.read_public = ask

    def __enter__(self) -> "Answers":
        return self

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture
def two(alice: User, bob: User) -> tuple[ExchangeAccount, ExchangeAccount]:
    """Both spent a coin on another pair in the same minute: alice's coin is the ill one."""
    listed("ILL/USDT", "XRP/ILL", "SOL/USDT", "XRP/SOL")
    accounts = make_account(alice), make_account(bob)
    for account, coin in zip(accounts, ("ILL", "SOL"), strict=True):
        pair = {"symbol": f"XRP{coin}", "base": "XRP", "quote": coin, "fee": D(0)}
        save_fills(account, [make_fill(account, 1, "SELL", "0.01", quantity="100", **pair)])
    return accounts


@pytest.mark.parametrize(
    "illness",
    [
        Refused(-1121, "Invalid symbol."),
        Refused(-1100, "Illegal characters found in parameter 'symbol'."),
        ValueError("no candle"),
        [[0, "x"]],
    ],
    ids=["unknown", "illegal", "unreadable", "short"],
)
def test_a_coin_that_is_refused_leaves_the_other_accounts_priced(
    two: tuple[ExchangeAccount, ExchangeAccount], monkeypatch: pytest.MonkeyPatch, illness: Any
) -> None:
    sound = Candles(SOLUSDT={START: "150"}, XRPSOL={}, XRPILL={})

    def ask(path: str, **params: Any) -> Any:
        if params["symbol"] != "ILLUSDT":
            return sound(path, **params)
        if isinstance(illness, Exception):
            raise illness
        return illness

    monkeypatch.setattr(settling, "Reader", lambda *rest: Answers(ask))
    monkeypatch.setattr(settling, "parked", Parking())
    settling.settle()
    assert not due_books().exists()  # alice's too: by what is known
    held = OpenPosition.objects.filter(base__in=["ILL", "SOL"])
    assert {row.base: row.cost for row in held} == {"ILL": 0, "SOL": 150}
    assert LedgerProblem.objects.filter(account=two[0], kind="missing_price").exists()
    assert not LedgerProblem.objects.filter(account=two[1], kind="missing_price").exists()


def test_a_minute_that_cannot_be_asked_for_again_waits_and_stops_no_other(
    two: tuple[ExchangeAccount, ExchangeAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    for coin in ("ILL", "SOL"):
        AssetPrice.objects.create(
            venue="simulator", asset=coin, minute=START, symbol="", price=1, is_final=False
        )
    asked: list[str] = []

    def ask(path: str, **params: Any) -> Any:
        asked.append(params["symbol"])
        if params["symbol"] == "ILLUSDT":
            raise Refused(-1100, "Illegal characters found in parameter 'symbol'.")
        return Candles(SOLUSDT={START: "150"}, XRPSOL={}, XRPILL={})(path, **params)

    monkeypatch.setattr(settling, "Reader", lambda *rest: Answers(ask))
    monkeypatch.setattr(settling, "parked", Parking())
    settling.settle()
    finals = dict(AssetPrice.objects.filter(minute=START).values_list("asset", "is_final"))
    assert (finals["ILL"], finals["SOL"]) == (False, True)
    asked.clear()
    settling.settle()
    assert "ILLUSDT" not in asked  # its pause has not ended


def test_an_exchange_that_answers_nobody_is_everybodys_trouble(
    two: tuple[ExchangeAccount, ExchangeAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(path: str, **params: Any) -> Any:
        raise TryAgain("timeout")

    monkeypatch.setattr(settling, "Reader", lambda *rest: Answers(ask))
    with pytest.raises(TryAgain):
        settling.settle()
    assert due_books().count() == Book.objects.count()  # all of them wait
