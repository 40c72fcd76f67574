"""`/api/proof` and `/api/payments`: what was earned is the change of wealth, for its owner only."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.books import rebuilding
from journal.models import (
    AssetPrice,
    Balance,
    Book,
    Income,
    Payment,
    Sync,
    Trade,
    Transfer,
)
from journal.services import live_prices
from journal.sync.saving import save_income, save_transfers
from tests.journal.accounts import START, make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
KEYS = {
    "currency",
    "at",
    "since",
    "opening",
    "worth",
    "deposits",
    "withdrawals",
    "realised",
    "unrealised",
    "income",
    "currency_effect",
    "unexplained",
    "difference",
    "may_be_off",
    "reasons",
}


@pytest.fixture(autouse=True)
def no_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_prices, "_routes", {})


def priced(asset: str, price: str, minutes: int = 60) -> None:
    AssetPrice.objects.bulk_create(
        AssetPrice(
            venue="simulator",
            asset=asset,
            minute=START + timedelta(minutes=minute),
            symbol="",
            price=D(price),
        )
        for minute in range(minutes)
    )


def moved(account: ExchangeAccount, kind: str, asset: str, amount: str, minute: int) -> Transfer:
    return Transfer(
        account=account,
        kind=kind,
        external_id=f"{kind}-{minute}",
        asset=asset,
        amount=D(amount),
        fee=0,
        time=START + timedelta(minutes=minute),
        source="rest",
    )


def earned(account: ExchangeAccount, kind: str, amount: str, minute: int, **more: Any) -> Income:
    values = {"asset": "USDT", "symbol": "BTCUSDT", **more}
    return Income(
        account=account,
        kind=kind,
        external_id=f"{kind}-{minute}",
        amount=D(amount),
        time=START + timedelta(minutes=minute),
        source="rest",
        **values,
    )


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    """1000 in, 2 BTC at 100, 1 out at 110, and 5 of interest; BTC is 120 now."""
    made: ExchangeAccount = make_account(alice)
    priced("BTC", "120")
    save_transfers(
        made, [moved(made, "deposit", "USDT", "1000", 0), moved(made, "dividend", "USDT", "5", 3)]
    )
    free = {"fee": D(0)}
    trades_of(
        made,
        make_fill(made, 1, "BUY", "100", quantity="2", **free),
        make_fill(made, 2, "SELL", "110", **free),
    )
    return made


def proof(browser: Client, **query: str) -> dict[str, Any]:
    answer = browser.get("/api/proof", query)
    assert answer.status_code == 200, answer.content
    told: dict[str, Any] = answer.json()
    return told


def test_the_items_are_right_and_add_up(account: ExchangeAccount, alices_browser: Client) -> None:
    told = proof(alices_browser)
    assert set(told) >= KEYS
    items = {name: D(told[name]) for name in KEYS - {"currency", "at", "since", "reasons"}}
    assert items == {
        "opening": 0,
        "deposits": 1000,
        "withdrawals": 0,
        "realised": 10,
        "unrealised": 20,
        "income": 5,
        "worth": 1035,
        "currency_effect": 0,
        "unexplained": 0,
        "difference": 0,
        "may_be_off": 0,
    }
    assert (told["currency"], told["reasons"]) == ("USD", [])
    assert told["since"] == int(START.timestamp() * 1000)
    assert abs(told["at"] - timezone.now().timestamp() * 1000) < 60_000


def test_what_the_exchange_reports_less_is_unexplained(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    for asset, free in (("USDT", "900"), ("BTC", "1")):
        Balance.objects.create(
            account=account,
            wallet="spot",
            asset=asset,
            free=D(free),
            locked=0,
            updated_at=timezone.now(),
        )
    told = proof(alices_browser)
    assert (D(told["worth"]), D(told["unexplained"]), D(told["difference"])) == (1020, 15, 0)


def test_what_leaves_beyond_everything_is_a_deposit_with_its_reason(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    trades_of(account, make_fill(account, 5, "SELL", "130", quantity="3", fee=D(0)))
    told = proof(alices_browser)
    assert (D(told["deposits"]), D(told["difference"]), D(told["may_be_off"])) == (1260, 0, 260)
    [reason] = told["reasons"]
    assert (reason["kind"], reason["count"], reason["assets"]) == ("oversold", 1, ["BTC"])
    assert reason["text"].startswith("BTC: ")


def test_one_account_or_all_of_them(
    account: ExchangeAccount, alice: User, alices_browser: Client
) -> None:
    other = make_account(alice, "second")
    save_transfers(other, [moved(other, "deposit", "USDT", "7", 1)])
    rebuilding.rebuild_due(other)
    assert D(proof(alices_browser)["deposits"]) == 1007
    assert D(proof(alices_browser, account=str(other.pk))["deposits"]) == 7
    assert D(proof(alices_browser, account=str(account.pk))["deposits"]) == 1000


def test_an_account_that_the_exchange_says_nothing_of_counts_as_calculated(
    account: ExchangeAccount, alice: User, alices_browser: Client
) -> None:
    """Its open contract too: 1 from 100, at 130 now."""
    for asset, free in (("USDT", "915"), ("BTC", "1")):
        Balance.objects.create(
            account=account,
            wallet="spot",
            asset=asset,
            free=D(free),
            locked=0,
            updated_at=timezone.now(),
        )
    silent = make_account(alice, "of files")
    trades_of(silent, make_fill(silent, 1, "BUY", "100", market="usdm", fee=D(0)))
    live_prices.keep_prices("usdm", {"BTCUSDT": "130"}, int(timezone.now().timestamp() * 1000))
    told = proof(alices_browser)
    assert (D(told["unrealised"]), D(told["worth"])) == (50, 1065)
    assert (D(told["unexplained"]), D(told["difference"])) == (0, 0)


def test_in_another_currency_every_item_is_at_its_own_minute(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    priced("EUR", "1.25")
    told = proof(alices_browser, currency="eur")
    assert told["currency"] == "EUR"
    assert abs(D(told["difference"])) < D("1e-12")
    assert D(told["worth"]) == 828  # 1035 / 1.25


def test_a_users_own_currency_is_the_default_and_its_rates_are_kept(
    account: ExchangeAccount, alice: User, alices_browser: Client
) -> None:
    """A euro was 1.25 while all of it happened: 1000 came in as 800."""
    priced("EUR", "1.25")
    alice.report_currency = "EUR"
    alice.save()
    rebuilding.follow_currency()
    rebuilding.rebuild_due(account)
    told = proof(alices_browser)
    assert (told["currency"], D(told["deposits"]), D(told["realised"])) == ("EUR", 800, 8)
    assert abs(D(told["difference"])) < D("1e-12")
    assert D(told["currency_effect"]) == 0


@pytest.mark.parametrize(
    "query",
    [{"currency": "XXX"}, {"currency": ""}, {"currency": "KRW"}, {"account": "x"}],
)
def test_a_wrong_question_is_refused_with_a_sentence(
    account: ExchangeAccount, alices_browser: Client, query: dict[str, str]
) -> None:
    answer = alices_browser.get("/api/proof", query)
    assert answer.status_code == 400
    assert "Expected" in answer.content.decode()


def test_it_is_its_owners_alone(
    account: ExchangeAccount, charlie: User, alices_browser: Client
) -> None:
    stranger = Client()
    assert stranger.get("/api/proof").status_code == 401
    assert stranger.get("/api/payments").status_code == 401
    stranger.force_login(charlie)
    assert stranger.get("/api/proof").status_code == 404  # charlie has no account
    assert stranger.get("/api/proof", {"account": str(account.pk)}).status_code == 404
    theirs = make_account(charlie, "other")
    assert alices_browser.get("/api/proof", {"account": str(theirs.pk)}).status_code == 404
    assert stranger.get("/api/payments").json()["rows"] == []
    assert alices_browser.post("/api/proof").status_code == 405


def test_payments_are_listed_with_their_worth(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    rows = alices_browser.get("/api/payments").json()["rows"]
    assert [(row["kind"], row["worth"], row["asset"]) for row in rows] == [
        ("income", "5", "USDT"),
        ("deposit", "1000", "USDT"),
    ]
    [row] = alices_browser.get("/api/payments", {"kind": "income"}).json()["rows"]
    assert row["money"] == "5"


# --- lines of the futures wallet, from their rows to the sums ------------------------------------


def perpetual(account: ExchangeAccount, *lines: Income) -> None:
    """Long from minute 1 to 90, 10 earned, with these lines of income."""
    usdm = {"market": "usdm", "fee": D(0)}
    save_income(account, list(lines))
    trades_of(
        account,
        make_fill(account, 101, "BUY", "100", time=START + timedelta(minutes=1), **usdm),
        make_fill(
            account, 102, "SELL", "110", time=START + timedelta(minutes=90), realized=D(10), **usdm
        ),
    )


@pytest.mark.parametrize(
    ("kind", "minute", "funding", "net"),
    [
        ("FUNDING_FEE", 60, "-1", "9"),
        ("SPECIAL_FUNDING_FEE", 45, "-1", "9"),
        ("INSURANCE_CLEAR", 45, "0", "9"),
        ("FEE_RETURN", 95, "0", "9"),
        ("COMMISSION", 60, "0", "10"),
        ("TRANSFER", 60, "0", "10"),
    ],
)
def test_each_kind_of_line_is_in_its_trade_once_or_not_at_all(
    alice: User, alices_browser: Client, kind: str, minute: int, funding: str, net: str
) -> None:
    account = make_account(alice)
    perpetual(account, earned(account, kind, "-1", minute))
    trade = Trade.objects.get()
    assert (trade.funding, trade.net) == (D(funding), D(net))
    assert D(alices_browser.get("/api/trades/summary").json()["net"]) == D(net)
    told = proof(alices_browser)
    assert (D(told["realised"]), D(told["income"]), D(told["difference"])) == (D(net), 0, 0)


@pytest.mark.parametrize(
    ("kind", "reasons"), [("REFERRAL_KICKBACK", []), ("BRAND_NEW_KIND", ["unknown_income"])]
)
def test_every_other_kind_is_income_and_an_unknown_one_is_told(
    alice: User, alices_browser: Client, kind: str, reasons: list[str]
) -> None:
    account = make_account(alice)
    perpetual(account, earned(account, kind, "2", 60))
    told = proof(alices_browser)
    assert (D(told["realised"]), D(told["income"]), D(told["difference"])) == (10, 2, 0)
    assert [reason["kind"] for reason in told["reasons"]] == reasons
    assert D(alices_browser.get("/api/trades/summary").json()["net"]) == 12
    assert Payment.objects.get(kind="income").trade is None


def test_a_profit_without_fills_counts_apart(alice: User, alices_browser: Client) -> None:
    account = make_account(alice)
    lines = [earned(account, "REALIZED_PNL", "10", 5), earned(account, "COMMISSION", "-1", 5)]
    save_income(account, lines)
    rebuilding.rebuild_due(account)
    told = proof(alices_browser)
    assert (D(told["realised"]), D(told["apart"]), D(told["difference"])) == (9, 9, 0)
    assert [reason["kind"] for reason in told["reasons"]] == ["result_without_fills"]
    assert alices_browser.get("/api/trades/summary").json()["count"] == 0


def test_a_history_that_is_being_read_is_told_as_unfinished(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    Balance.objects.create(
        account=account,
        wallet="spot",
        asset="USDT",
        free=D(900),
        locked=0,
        updated_at=START + timedelta(days=1),
    )
    ExchangeAccount.objects.update(last_four="abcd")
    sync = Sync.objects.create(account=account, state="running")
    told = proof(alices_browser)
    assert [(row["kind"], row["count"]) for row in told["reasons"]] == [("still_reading", 1)]
    open_money = abs(D(told["unexplained"])) + abs(D(told["difference"]))
    assert D(told["may_be_off"]) == open_money > 0
    page = alices_browser.get("/portfolio/").content.decode()
    assert "Not finished: numbers so far" in page
    assert "Agrees with the balances" not in page
    sync.finished_at = timezone.now()
    sync.save()
    assert proof(alices_browser)["reasons"] == []


def test_books_that_are_due_are_told(account: ExchangeAccount, alices_browser: Client) -> None:
    Book.objects.filter(name="BTC").update(version=F("version") + 1)
    told = proof(alices_browser)
    assert [(row["kind"], row["count"]) for row in told["reasons"]] == [("book_due", 1)]
    assert told["reasons"][0]["text"] == "BTC: Its results are being computed."
