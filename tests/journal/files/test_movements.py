"""One deposit, conversion or line of income, whichever door and in any order."""

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest

from accounts.models import ExchangeAccount
from journal.models import Income, Transfer
from journal.sync.saving import save_income, save_transfers
from tests.journal.files import samples as s
from tests.journal.files.doors import AT, bring

pytestmark = pytest.mark.django_db


def moved(
    account: ExchangeAccount,
    kind: str,
    name: str,
    asset: str,
    amount: str,
    time: datetime = AT,
    **more: Any,
) -> Transfer:
    return Transfer(
        account=account,
        kind=kind,
        external_id=name,
        asset=asset,
        amount=D(amount),
        time=time,
        source="rest",
        **more,
    )


def test_equal_amounts_of_one_day_are_two_movements(account: ExchangeAccount) -> None:
    save_transfers(account, [moved(account, "internal", "i1", "USDT", "-100")])
    earn = "1,2026-03-02 20:00:00,Spot,Simple Earn Flexible Subscription,USDT,-100,\n"
    near = "1,2026-03-02 08:01:00,Spot,Simple Earn Flexible Subscription,USDT,-100,\n"
    p2p = "1,2026-03-02 08:00:00,Funding,P2P Trading,USDT,100,\n"
    same = "1,2026-03-02 08:00:03,Spot,Transfer Between Spot Account and UM Futures Account,"
    bring(account, s.STATEMENT + earn + near + p2p + same + "USDT,-100,\n")
    save_transfers(account, [moved(account, "deposit", "d1", "USDT", "100")])
    amounts = sorted(row.amount for row in Transfer.objects.all())
    assert amounts == [D(-100)] * 3 + [D(100)] * 2


@pytest.mark.parametrize("is_api_first", [True, False])
def test_a_deposit_told_twice_within_minutes_is_one(
    account: ExchangeAccount, is_api_first: bool
) -> None:
    api = [
        moved(
            account, "deposit", "d1", "USDT", "125.564991", datetime(2026, 5, 6, 23, 9, tzinfo=UTC)
        )
    ]
    if is_api_first:
        save_transfers(account, api)
    bring(account, s.DEPOSIT, "deposits(UTC).csv")
    save_transfers(account, api)
    text = "1,2026-05-06 23:06:01,Spot,Deposit,USDT,125.564991,\n"
    bring(account, s.STATEMENT + text)
    assert Transfer.objects.get().external_id == "d1"


@pytest.mark.parametrize("is_api_first", [True, False])
def test_a_batch_of_dust_told_coin_by_coin_and_as_a_sum_is_one(
    account: ExchangeAccount, is_api_first: bool
) -> None:
    at = datetime(2019, 7, 22, 9, 55, 30, tzinfo=UTC)
    api = [
        moved(account, "dust", "b-1", "STEEM", "-0.004", at),
        moved(account, "dust", "b-1", "BNB", "0.0003", at),
        moved(account, "dust", "b-2", "TRX", "-0.9", at),
        moved(account, "dust", "b-2", "BNB", "0.0004", at),
    ]
    if is_api_first:
        save_transfers(account, api)
    bring(account, s.STATEMENT_SAME_SECOND)
    if not is_api_first:
        save_transfers(account, api)
    dust = Transfer.objects.filter(kind="dust")
    assert {row.source for row in dust} == {"rest"}
    assert sum(row.amount for row in dust.filter(asset="BNB")) == D("0.0007")


@pytest.mark.parametrize("is_api_first", [True, False])
def test_income_of_the_statement_is_the_apis(account: ExchangeAccount, is_api_first: bool) -> None:
    def api() -> None:
        at = datetime(2024, 1, 13, 10, 0, tzinfo=UTC)
        save_income(
            account,
            [
                Income(
                    account=account,
                    kind="FUNDING_FEE",
                    external_id="9",
                    asset="USDT",
                    symbol="BTCUSDT",
                    amount=D("-0.50000000"),
                    time=at,
                    source="rest",
                )
            ],
        )

    if is_api_first:
        api()
    bring(account, s.MANY_OPERATIONS)
    api()
    rows = Income.objects.values_list("kind", "external_id", "symbol")
    assert ("FUNDING_FEE", "9", "BTCUSDT") in set(rows)
    assert len(rows) == 2
