"""The doors that a row may come by: an upload, the API, a hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

from accounts.models import ExchangeAccount
from journal.models import Fill, Upload
from journal.services import correcting, exports, importing
from journal.sync.saving import save_fills
from tests.journal.accounts import make_fill
from tests.journal.files import samples as s

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BOUGHT = s.SPOT + "2026-03-02 08:00:00,BTCUSDT,BUY,40000,0.001BTC,40USDT,0.04USDT\n"
STATED = s.STATEMENT + (
    "1,2026-03-02 08:00:00,Spot,Transaction Buy,BTC,0.001,\n"
    "1,2026-03-02 08:00:00,Spot,Transaction Spend,USDT,-40,\n"
    "1,2026-03-02 08:00:00,Spot,Transaction Fee,USDT,-0.04,\n"
)


def bring(account: ExchangeAccount, text: str, name: str = "x.csv", zone: str = "") -> Upload:
    row = importing.look(exports.upload(account=account, name=name, body=text.encode(), zone=zone))
    assert row.state == "looked", row.problem
    importing.take_in(row, user=account.user, digest=row.preview["digest"])
    assert row.state == "taken", row.problem
    return row


def told(account: ExchangeAccount, number: int = 7, **more: Any) -> list[Fill]:
    """By the API, 120 ms into the second."""
    values = {"quantity": "0.001", "fee": D("0.04"), "time": AT + timedelta(milliseconds=120)}
    return save_fills(account, [make_fill(account, number, "BUY", "40000", **(values | more))])


def by_hand(account: ExchangeAccount) -> None:
    correcting.add(
        account=account,
        user=account.user,
        symbol="BTCUSDT",
        side="BUY",
        price=D(40000),
        quantity=D("0.001"),
        fee=None,
        fee_asset="",
        time=AT,
        why="missing",
    )
