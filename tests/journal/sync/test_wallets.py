"""Rows of what was no order, and the wallets beside spot."""

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum

from accounts.models import User
from journal.books import comparing
from journal.models import Balance, Order, Sync, Transfer
from journal.sync import balances, rows
from journal.sync import wallets as wallets_
from journal.sync.running import synchronise
from journal.sync.saving import save_transfers
from journal.sync.saving_orders import save_orders
from lib.dates import from_ms
from market.binance.errors import BadKey, Refused
from tests.journal.accounts import make_account
from tests.journal.sync.stage import DemoExchange, aim, connect
from tests.journal.sync.told import Told, run_of

pytestmark = pytest.mark.django_db

AT = 1_772_438_400_000
BATCH: dict[str, Any] = {
    "operateTime": AT,
    "transId": 45178372831,
    "userAssetDribbletDetails": [
        {
            "transId": 4359321,
            "serviceChargeAmount": "0.000009",
            "amount": "0.002",
            "transferedAmount": "0.000441",
            "fromAsset": "SOL",
            "operateTime": AT,
        },
        {
            "transId": 4359321,
            "serviceChargeAmount": "0.0000018",
            "amount": "0.001",
            "transferedAmount": "0.0000882",
            "fromAsset": "SOL",
            "operateTime": AT,
        },
    ],
}


def amounts() -> dict[str, D]:
    found = Transfer.objects.values("asset").annotate(sum=Sum("amount")).order_by()
    return {row["asset"]: row["sum"] for row in found}


def test_the_same_coin_twice_in_a_batch_of_dust_is_two_rows(alice: User) -> None:
    account = make_account(alice)
    first = rows.dust(
        account, {**BATCH, "userAssetDribbletDetails": BATCH["userAssetDribbletDetails"][:1]}
    )
    save_transfers(account, first)  # as it was read before names had numbers
    for _ in range(2):
        save_transfers(account, rows.dust(account, BATCH))
        assert amounts() == {"SOL": D("-0.003"), "BNB": D("0.0005292")}


def test_dust_becomes_the_coin_that_the_row_names(alice: User) -> None:
    [item, _] = BATCH["userAssetDribbletDetails"]
    named = {**item, "targetAsset": "USDC", "transferedAmount": "1.5"}
    save_transfers(
        account := make_account(alice),
        rows.dust(account, {**BATCH, "userAssetDribbletDetails": [named]}),
    )
    assert amounts() == {"SOL": D("-0.002"), "USDC": D("1.5")}


@pytest.mark.parametrize(
    ("direction", "amount"), [(1, "3"), (-1, "-3"), (0, "-3"), (7, "0")], ids=str
)
def test_a_distribution_that_is_taken_back_is_no_credit(
    alice: User, direction: int, amount: str
) -> None:
    said = {
        "id": 1,
        "amount": "3",
        "asset": "SOL",
        "divTime": AT,
        "enInfo": "Airdrop",
        "tranId": 1,
        "direction": direction,
    }
    row = rows.dividend(make_account(alice), said)
    assert row.amount == D(amount)
    assert "Airdrop" in row.info
    assert ("3" in row.info) == (direction == 7)


def test_a_distribution_that_was_kept_as_paid_is_put_right(alice: User) -> None:
    said = {
        "id": 1,
        "amount": "3",
        "asset": "SOL",
        "divTime": AT,
        "enInfo": "Airdrop",
        "tranId": 1,
        "direction": -1,
    }
    exchange = Told().on("/sapi/v1/asset/assetDividend", lambda params: {"rows": [said]})
    run = run_of(make_account(alice), exchange)
    save_transfers(run.account, [rows.dividend(run.account, {**said, "direction": 1})])
    for _ in range(2):
        save_transfers(run.account, wallets_._dividends(run, AT, AT + 1))
        assert Transfer.objects.get().amount == -3


def test_deposits_of_the_funding_wallet_are_kept_apart_from_spot(alice: User) -> None:
    account = make_account(alice)
    said = {
        "id": "a",
        "amount": "5",
        "coin": "BTC",
        "status": 1,
        "completeTime": AT,
        "network": "BTC",
        "walletType": 1,
    }
    out = {
        "id": "b",
        "amount": "1",
        "transactionFee": "0.1",
        "coin": "BTC",
        "status": 6,
        "applyTime": "2026-03-02 08:00:00",
        "network": "BTC",
        "walletType": 1,
    }
    found = [rows.deposit(account, said), rows.withdrawal(account, out)]
    save_transfers(account, [row for row in found if row is not None])
    assert amounts() == {"BTC": D("3.9")}
    assert set(Transfer.objects.values_list("wallet", flat=True)) == {"funding"}
    assert comparing.compare(account) == []  # of spot nothing was moved


def test_an_order_keeps_the_time_at_which_it_was_made(alice: User) -> None:
    account = make_account(alice)

    def told(time: int, changed: int) -> None:
        save_orders(
            [
                Order(
                    account=account,
                    market="usdm",
                    symbol="BTCUSDT",
                    order_id=1,
                    client_id="c",
                    side="BUY",
                    type="LIMIT",
                    status="NEW",
                    price=1,
                    quantity=1,
                    executed=0,
                    time=from_ms(time),
                    changed_at=from_ms(changed),
                )
            ]
        )

    told(AT + 9000, AT + 9000)  # the stream knows its last event only
    told(AT + 5000, AT + 5000)  # an older one, late
    assert Order.objects.get().time == from_ms(AT + 5000)
    told(AT, AT + 9000)  # REST knows
    assert Order.objects.get().time == from_ms(AT)
    told(AT + 12_000, AT + 12_000)
    row = Order.objects.get()
    assert (row.time, row.changed_at) == (from_ms(AT), from_ms(AT + 12_000))


# --- balances -----------------------------------------------------------------------------------


def wallets() -> Told:
    spot = [
        {"asset": "BTC", "free": "1", "locked": "0"},
        {"asset": "LDBTC", "free": "2", "locked": "0"},
        {"asset": "LDO", "free": "7", "locked": "0"},
    ]
    funding = {"asset": "USDT", "free": "10", "locked": "1", "freeze": "2", "withdrawing": "3"}
    flexible = [{"asset": "BTC", "totalAmount": "2.001"}]
    locked = [{"asset": "BTC", "amount": "0.5"}, {"asset": "SOL", "amount": "4"}]
    return (
        Told()
        .on("/api/v3/account", lambda params: {"balances": spot})
        .on(balances.FUNDING, lambda params: [funding])
        .on(balances.FLEXIBLE, lambda params: {"rows": flexible, "total": 1})
        .on(balances.LOCKED, lambda params: {"rows": locked, "total": 2})
    )


def held() -> dict[tuple[str, str], tuple[D, D]]:
    return {(row.wallet, row.asset): (row.free, row.locked) for row in Balance.objects.all()}


def test_every_wallet_is_read(alice: User) -> None:
    exchange = wallets()
    run = run_of(make_account(alice), exchange)
    balances.read_others(run)
    balances.read_others(run)
    assert len(exchange.of(balances.LOCKED)) == 1  # not with each run of the next minutes
    balances.read_spot(run)
    assert held() == {
        ("spot", "BTC"): (D(1), D(0)),
        ("spot", "LDO"): (D(7), D(0)),
        ("funding", "USDT"): (D(10), D(6)),
        ("earn", "BTC"): (D("2.001"), D("0.5")),
        ("earn", "SOL"): (D(0), D(4)),
    }


@pytest.mark.parametrize(
    "error",
    [BadKey(-2015, "permissions"), BadKey(-1002, "not authorised"), Refused(0, "404")],
    ids=["permission", "unauthorised", "missing"],
)
def test_a_wallet_that_may_not_be_read_is_noted_and_stops_nothing(
    alice: User, error: Refused
) -> None:
    def refuse(params: dict[str, Any]) -> Any:
        raise error

    exchange = wallets().on(balances.FUNDING, refuse).on(balances.FLEXIBLE, refuse)
    run = run_of(make_account(alice), exchange)
    balances.read_others(run)
    balances.read_spot(run)
    assert set(Sync.objects.get().unreadable) == {"funding", "earn"}
    # what spot lists under an Earn name stands in
    assert held()["earn", "BTC"] == (D(2), D(0))
    asked = len(exchange.asked)
    run.now += balances.AGAIN_AFTER * 1.1
    balances.read_others(run)
    assert len(exchange.asked) == asked  # not with every run
    run.now += balances.REFUSED_FOR * 1.1
    exchange.on(balances.FUNDING, wallets().answers[balances.FUNDING])
    exchange.on(balances.FLEXIBLE, wallets().answers[balances.FLEXIBLE])
    balances.read_others(run)
    assert Sync.objects.get().unreadable == {}
    assert held()["earn", "BTC"] == (D("2.001"), D("0.5"))


@pytest.mark.django_db(transaction=True)
def test_a_sync_reads_the_wallets_and_the_time_of_the_positions(
    settings: Any, alice: User, tmp_path: Path
) -> None:
    with DemoExchange(has_demo=False).running() as exchange:
        aim(settings, exchange, tmp_path)
        opened = exchange.open(flexible={"BTC": "0.3"}, locked={"SOL": "4"})
        exchange.ask(
            "POST",
            f"/simulator/accounts/{opened['uid']}/move",
            market="funding",
            asset="USDT",
            amount="25",
        )
        account = connect(alice, opened)
        assert synchronise(str(account.pk))
        others = {key: sides for key, sides in held().items() if key[0] in {"funding", "earn"}}
        assert others == {
            ("funding", "USDT"): (D(25), D(0)),
            ("earn", "BTC"): (D("0.3"), D(0)),
            ("earn", "SOL"): (D(0), D(4)),
        }
        assert Transfer.objects.get(wallet="funding").amount == D(25)
        sync = Sync.objects.get()
        assert sync.unreadable == {}
        assert sync.positions_at is not None
        before = sync.positions_at
        exchange.fault("status", path="/sapi/v1/simple-earn/*", code=403, seconds=600)
        Sync.objects.update(whole_at=None, wallets_at=None)
        assert synchronise(str(account.pk))
        sync.refresh_from_db()
        assert (sync.state, set(sync.unreadable)) == ("complete", {"earn"})
        assert sync.positions_at > before
        assert held()["earn", "BTC"] == (D("0.3"), D(0))  # as spot lists it
