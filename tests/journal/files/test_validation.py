"""What cannot be is left out alone, named, and shown, whichever door it came by."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.models import ExchangeAccount
from journal.models import Fill, ManualFill, Rejected
from journal.services import correcting
from journal.sync.saving import save_fills
from tests.journal.accounts import make_fill
from tests.journal.files.doors import AT, told

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "4e-13"}, "quantity"),
        ({"quantity": "1e25"}, "number_large"),
        ({"side": "HOLD"}, "side"),
        ({"time": datetime(2016, 1, 1, tzinfo=UTC)}, "time_early"),
        ({"time": datetime(9999, 1, 1, tzinfo=UTC)}, "time_late"),
        ({"position_side": "NET"}, "position_side"),
        ({"fee_asset": "X" * 21}, "text_long"),
        ({"symbol": "BTC\0USDT"}, "text_odd"),
        ({"quote_quantity": D(4)}, "amount_differs"),
        ({"fee": D("NaN")}, "number"),
    ],
)
def test_a_row_of_the_api_that_cannot_be_is_left_out_alone_and_named(
    account: ExchangeAccount, bad: dict[str, Any], code: str
) -> None:
    row = make_fill(account, 1, "BUY", "40000", quantity=bad.pop("quantity", "1"))
    for name, value in bad.items():
        setattr(row, name, value)
    for _again in range(2):
        save_fills(account, [row, make_fill(account, 2, "BUY", "40000")])
    assert Fill.objects.get().trade_id == 2
    assert Rejected.objects.get().fault["code"] == code


def test_the_database_refuses_what_the_validator_would(account: ExchangeAccount) -> None:
    for bad in ({"quantity": "0"}, {"side": "X"}):
        side = bad.pop("side", "BUY")
        with pytest.raises(IntegrityError), transaction.atomic():
            make_fill(account, 1, side, "1", **bad).save()


def test_a_fill_by_hand_passes_the_same_validator(account: ExchangeAccount) -> None:
    told(account)
    good: dict[str, Any] = {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "price": D(40000),
        "quantity": D("0.002"),
        "fee": None,
        "fee_asset": "",
        "time": AT,
        "why": "",
    }
    for bad in (
        {"quantity": D("0.001")},
        {"price": D("1e-13")},
        {"price": D("1e25")},
        {"side": "X"},
        {"time": AT - timedelta(days=9999)},
        {"fee": D(1)},
        {"fee_asset": "\0"},
        {"why": "a\0"},
    ):
        with pytest.raises(correcting.BadCorrection):
            correcting.add(account=account, user=account.user, **(good | bad))
    correcting.add(account=account, user=account.user, **good)
    assert ManualFill.objects.count() == 1


def test_what_was_left_out_is_shown_to_its_owner(
    alices_browser: Client, account: ExchangeAccount
) -> None:
    save_fills(account, [make_fill(account, 1, "BUY", "40000", quantity="0")])
    page = alices_browser.get(f"/account/exchange/{account.pk}/history/").content.decode()
    assert "spot BTCUSDT 1: Expected a quantity above 0, was 0." in page
