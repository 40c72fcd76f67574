"""A coin that the exchange swapped into another and back is known to the books of both."""

from datetime import timedelta
from decimal import Decimal as D

import pytest

from accounts.models import ExchangeAccount, User
from journal.books import rebuilding
from journal.models import LedgerProblem, OpenPosition, Realized, Transfer
from journal.sync.saving import save_transfers
from tests.journal.accounts import START, make_account, make_fill, trades_of

pytestmark = pytest.mark.django_db
LEND = {"symbol": "LENDUSDT", "base": "LEND", "fee": D(0)}


@pytest.fixture
def account(alice: User) -> ExchangeAccount:
    made: ExchangeAccount = make_account(alice)
    return made


def swapped(account: ExchangeAccount, name: str, minute: int, *halves: tuple[str, str]) -> None:
    save_transfers(
        account,
        [
            Transfer(
                account=account,
                kind="swap",
                external_id=name,
                asset=asset,
                amount=D(amount),
                time=START + timedelta(minutes=minute),
                source="rest",
            )
            for asset, amount in halves
        ],
    )


def costs() -> dict[str, D]:
    return {row.base: row.cost for row in OpenPosition.objects.all()}


def test_there_and_back_costs_what_it_did(account: ExchangeAccount) -> None:
    swapped(account, "s1", 5, ("LEND", "-100"), ("AAVE", "1"))
    swapped(account, "s2", 10, ("AAVE", "-1"), ("LEND", "100"))
    trades_of(
        account,
        make_fill(account, 1, "BUY", "1", quantity="100", **LEND),
        make_fill(account, 15, "SELL", "2", quantity="100", **LEND),
    )
    [row] = Realized.objects.all()
    assert (row.asset, row.net, row.opened_at) == ("LEND", D(100), START + timedelta(minutes=1))
    assert (costs(), LedgerProblem.objects.count()) == ({}, 0)


def test_a_purchase_that_is_told_later_changes_the_coin_that_it_became(
    account: ExchangeAccount,
) -> None:
    swapped(account, "s1", 5, ("LEND", "-100"), ("AAVE", "1"))
    rebuilding.rebuild_due(account)
    assert costs() == {"AAVE": D(0)}  # nobody told what it had cost, nor its price
    trades_of(account, make_fill(account, 1, "BUY", "1", quantity="100", **LEND))
    assert costs() == {"AAVE": D(100)}
