"""What an owner states that a deposit had cost: it changes the tax report alone (money.md 3.8)."""

# amounts are compared with plain numbers
# mypy: disable-error-code="comparison-overlap"

import csv
import io
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, ExchangeAccount, User
from accounts.services.tokens import issue_token
from journal.books import rebuilding
from journal.books.due import make_everything_due
from journal.files.making import FILE
from journal.models import AssetPrice, Preferences, Realized, StatedCost, Transfer
from journal.services import live_prices
from journal.sync.saving import save_transfers
from tests.journal.accounts import START, make_account, make_fill, trades_of
from tests.sent import whole

pytestmark = pytest.mark.django_db
FREE = {"fee": D(0)}


@pytest.fixture(autouse=True)
def no_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_prices, "_routes", {})


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    """1 BTC is bought at 90, 1 BTC worth 100 comes in, 1 is sold at 120 and half a one at 130."""
    made: ExchangeAccount = make_account(alice)
    AssetPrice.objects.bulk_create(
        AssetPrice(
            venue="simulator",
            asset="BTC",
            minute=START + timedelta(minutes=minute),
            symbol="",
            price=D(100),
        )
        for minute in range(10)
    )
    save_transfers(made, [deposit(made)])
    trades_of(
        made,
        make_fill(made, 1, "BUY", "90", **FREE),
        make_fill(made, 5, "SELL", "120", **FREE),
        make_fill(made, 6, "SELL", "130", quantity="0.5", **FREE),
    )
    return made


def deposit(account: ExchangeAccount, **more: Any) -> Transfer:
    values = {"kind": "deposit", "external_id": "d", "asset": "BTC", "amount": D(1), **more}
    return Transfer(account=account, time=START + timedelta(minutes=3), source="rest", **values)


def page_of(account: ExchangeAccount) -> str:
    return f"/account/exchange/{account.pk}/transfers/"


def state(browser: Client, account: ExchangeAccount, cost: str, bought: str) -> str:
    row = Transfer.objects.get(kind="deposit")
    page = f"{page_of(account)}{row.pk}/cost/"
    answer = browser.post(page, {"cost": cost, "bought": bought}, follow=True)
    rebuilding.rebuild_due(account)
    return answer.content.decode()


def tax(browser: Client, **query: str) -> dict[str, Any]:
    told: dict[str, Any] = browser.get("/api/realized", {"view": "tax", **query}).json()
    return told


def total(told: dict[str, Any]) -> D:
    return sum((D(row["net"]) for row in told["rows"]), D(0))


def test_the_report_counts_by_the_stated_cost_and_date(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    """FIFO by the stated day takes the deposit first: (120 - 10) + 0.5 x (130 - 90) = 130. The tax
    view takes the purchase first: (120 - 90) + 0.5 x (130 - 100) = 45."""
    before = alices_browser.get("/api/proof").json()
    assert total(tax(alices_browser)) == 45
    assert "Kept" in state(alices_browser, account, "10", "2020-05-01")
    told = tax(alices_browser)
    assert total(told) == 130
    assert told["difference_by_stated_costs"] == {"net": "85", "net_money": "85"}
    opened = {row["opened_by"]: row["opened"] for row in told["rows"]}
    assert opened["deposit-d"] == 1_588_291_200_000
    after = alices_browser.get("/api/proof").json()
    assert (after["tax_realised"], after["by_stated_costs"]) == ("45", "85")
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {"at", "by_stated_costs"}  # of the proof nothing else


def test_nothing_but_the_report_is_another_one(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    addresses = ("/api/trades", "/api/realized", "/api/calendar", "/api/trades/summary")
    before = [alices_browser.get(address).json() for address in addresses]
    state(alices_browser, account, "10", "2020-05-01")
    assert [alices_browser.get(address).json() for address in addresses] == before
    assert StatedCost.objects.get().cost == 10


def test_the_csv_adds_up_to_the_proof_by_its_last_line(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    def lines() -> list[dict[str, str]]:
        answer = alices_browser.get("/api/realized?view=tax&format=csv")
        text = whole(answer).decode()
        return list(csv.DictReader(io.StringIO(text)))

    assert {line["kind"] for line in lines()} == {"sold"}
    state(alices_browser, account, "10", "2020-05-01")
    last = lines()[-1]
    assert (last["kind"], last["net"]) == ("difference_by_stated_costs", "-85")
    assert sum(D(line["net"]) for line in lines()) == 45


def test_the_page_shows_the_difference_as_a_line(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    assert "stated costs" not in alices_browser.get("/reports/realized/?view=tax").content.decode()
    state(alices_browser, account, "10", "2020-05-01")
    shown = alices_browser.get("/reports/realized/?view=tax").content.decode()
    assert "$130.00" in shown
    assert "Difference by stated costs" in shown
    assert "$85.00" in shown
    assert "$45.00" in shown
    assert "stated costs" not in alices_browser.get("/reports/realized/").content.decode()
    assert "$85.00" in alices_browser.get("/portfolio/").content.decode()


@pytest.mark.parametrize(
    ("method", "net"),
    [
        ("fifo", 130),  # the deposit's 1 at 10, then 0.5 of the purchase
        ("lifo", 90),  # the purchase's 1 at 90, then 0.5 of the deposit
        ("hifo", 90),
        ("average", 110),  # 50 each: 70 + 0.5 x 80
    ],
)
def test_every_method_takes_the_stated_lot(
    account: ExchangeAccount, alices_browser: Client, method: str, net: int
) -> None:
    Preferences.objects.update_or_create(user=account.user, defaults={"method": method})
    make_everything_due(account.user)
    state(alices_browser, account, "10", "2020-05-01")
    assert total(tax(alices_browser)) == net


def test_it_is_taken_back_and_stands_in_the_trail(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    state(alices_browser, account, "10", "2020-05-01")
    row = Transfer.objects.get(kind="deposit")
    page = alices_browser.get(page_of(account)).content.decode()
    assert 'value="10"' in page
    assert 'value="2020-05-01"' in page
    alices_browser.post(f"{page_of(account)}{row.pk}/cost/", {"do": "take_back"})
    rebuilding.rebuild_due(account)
    assert total(tax(alices_browser)) == 45
    assert not StatedCost.objects.exists()
    assert not Realized.objects.filter(view="stated").exists()
    actions = list(AuditEntry.objects.values_list("action", flat=True))
    assert actions.count("cost of a deposit stated") == 1
    assert actions.count("stated cost of a deposit taken back") == 1


@pytest.mark.parametrize(
    ("cost", "bought", "said"),
    [
        ("-1", "2020-05-01", "0 or more"),
        ("ten", "2020-05-01", "Expected a cost in dollars"),
        ("10", "", "and a day such as"),
        ("10", "2008-12-31", "January 2009"),
        ("10", "2027-01-01", "January 2009"),
        ("1e30", "2020-05-01", "Expected a cost"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    account: ExchangeAccount, alices_browser: Client, cost: str, bought: str, said: str
) -> None:
    assert said in state(alices_browser, account, cost, bought)
    assert not StatedCost.objects.exists()


def test_money_and_withdrawals_have_no_cost_to_state(
    account: ExchangeAccount, alices_browser: Client
) -> None:
    save_transfers(
        account,
        [
            deposit(account, external_id="m", asset="USDT", amount=D(100)),
            deposit(account, external_id="w", kind="withdrawal", amount=D("-0.1")),
        ],
    )
    for row in Transfer.objects.exclude(external_id="d"):
        answer = alices_browser.put(
            f"/api/transfers/{row.pk}/cost",
            {"cost": "1", "bought": "2020-05-01"},
            content_type="application/json",
        )
        assert answer.status_code == 400
        assert "deposit of a coin" in answer.json()["detail"][0]
    shown = alices_browser.get(page_of(account)).content.decode()
    assert shown.count('name="cost"') == 1
    assert alices_browser.get(f"{page_of(account)}?kind=withdrawal").status_code == 200


def test_the_api_states_shows_and_takes_back(account: ExchangeAccount, alice: User) -> None:
    client = Client(headers={"Authorization": f"Token {issue_token(user=alice)}"})
    address = f"/api/transfers/{Transfer.objects.get(kind='deposit').pk}/cost"
    assert client.get(address).json()["cost"] is None
    body = {"cost": "12.5", "bought": "2021-01-02T03:04:05Z"}
    answer = client.put(address, body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert (answer.json()["cost"], answer.json()["bought"]) == ("12.5", 1_609_556_645_000)
    assert client.get(address).json() == answer.json()
    assert client.put(address, {"cost": "x"}, content_type="application/json").status_code == 400
    assert client.delete(address).json()["cost"] is None
    reader = Client(headers={"Authorization": f"Token {issue_token(user=alice, scopes=['read'])}"})
    assert reader.put(address, body, content_type="application/json").status_code == 403


def test_it_stays_with_its_deposit_when_another_door_tells_that(
    alice: User, alices_browser: Client
) -> None:
    """The row of a file goes when the exchange tells it under its own id."""
    account = make_account(alice)
    save_transfers(account, [deposit(account, external_id=f"{FILE}1")])
    trades_of(account, make_fill(account, 9, "SELL", "120", **FREE))
    state(alices_browser, account, "10", "2020-05-01")
    told = deposit(account, external_id="real")
    told.time += timedelta(minutes=4)
    save_transfers(account, [told])
    rebuilding.rebuild_due(account)
    assert [row.external_id for row in Transfer.objects.all()] == ["real"]
    [row] = Realized.objects.filter(view="stated")
    assert (row.opened_by, row.net) == ("deposit-real", 110)
    assert 'value="10"' in alices_browser.get(page_of(account)).content.decode()


def test_a_coin_that_was_renamed_keeps_the_stated_cost(alice: User) -> None:
    account = make_account(alice)
    swap = {"kind": "swap", "external_id": "s"}
    save_transfers(
        account,
        [
            deposit(account, asset="MATIC", amount=D(10)),
            deposit(account, **swap, asset="MATIC", amount=D(-10)),
            deposit(account, **swap, asset="POL", amount=D(10)),
        ],
    )
    Transfer.objects.filter(kind="swap").update(time=START + timedelta(minutes=4))
    StatedCost.objects.create(
        account=account,
        asset="MATIC",
        external_id="d",
        amount=10,
        time=START + timedelta(minutes=3),
        cost=50,
        bought_at=START - timedelta(days=900),
    )
    pol = {"symbol": "POLUSDT", "base": "POL", **FREE}
    trades_of(account, make_fill(account, 5, "SELL", "7", quantity="10", **pol))
    [row] = Realized.objects.filter(view="stated")
    assert (row.asset, row.net, row.opened_at) == ("POL", 20, START - timedelta(days=900))
