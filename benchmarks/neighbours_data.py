"""A user with a long history, straight into the database of a running system."""

from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from accounts.services.connecting import make_keyless
from accounts.services.tokens import issue_token
from journal.books import rebuilding
from journal.models import Book, Fill, FillFlow, Preferences, Trade
from journal.services import demo
from journal.sync.saving import save_fills

BATCH = 5000


def fill(name: str, password: str, count: int) -> tuple[str, str]:
    """(a token, the id of a keyless account) of a new user with so many fills, a minute apart."""
    user = User.objects.create_user(name, f"{name}@example.org", password)
    account = make_keyless(user=user, label="files")
    first = timezone.now() - timedelta(minutes=count)
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        with transaction.atomic():
            save_fills(account, [_fill(account, number, first) for number in numbers])
    rebuilding.rebuild_due(account)
    _with_flow(account)
    return issue_token(user=user), str(account.pk)


def _fill(account: ExchangeAccount, number: int, first: datetime) -> Fill:
    price = Decimal(100 + number % 7)
    return Fill(
        account=account,
        market="spot",
        symbol="BTCUSDT",
        trade_id=number,
        order_id=number,
        base="BTC",
        quote="USDT",
        side="SELL" if number % 2 else "BUY",
        price=price,
        quantity=Decimal(1),
        quote_quantity=price,
        fee=Decimal("0.1"),
        fee_asset="USDT",
        is_maker=False,
        time=first + timedelta(minutes=number),
        source="file",
    )


def _with_flow(account: ExchangeAccount) -> None:
    """As if the market around every fill had been looked up: that work is not what is measured."""
    now = timezone.now()
    fills = Fill.objects.filter(account=account)
    FillFlow.objects.bulk_create(
        [FillFlow(fill=fill, stage=FillFlow.Stage.DONE, stamped_at=now) for fill in fills],
        BATCH,
        ignore_conflicts=True,
    )
    fills.update(flow_due_at=None)
    Trade.objects.filter(account=account).update(stamp_due_at=None)


def due() -> int:
    """Books that are still to be computed."""
    return Book.objects.filter(built__lt=F("version"), problem="").count()


def without_demo() -> None:
    for user in (User.objects.get(username="demo"), demo.owner_of_original()):
        Preferences.objects.update_or_create(user=user)
        demo.remove(user)
