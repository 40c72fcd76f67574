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
from journal.models import Book, Fill, FillFlow, Preferences, Trade, Upload
from journal.services import demo
from journal.sync.saving import save_fills

BATCH = 5000
LABEL = "files"
AT_WORK = (Upload.State.WAITING, Upload.State.READING)


def fill(name: str, password: str, count: int) -> tuple[str, str]:
    """(a token, the id of a keyless account) of a new user with so many fills, a minute apart, the
    last of yesterday. The market around them is taken as looked up: that is not measured."""
    user = User.objects.create_user(name, f"{name}@example.org", password)
    account = make_keyless(user=user, label=LABEL)
    now = timezone.now()
    first = now - timedelta(days=1, minutes=count)
    done = {"stage": FillFlow.Stage.DONE, "stamped_at": now}
    for start in range(0, count, BATCH):
        numbers = range(start, min(start + BATCH, count))
        with transaction.atomic():
            save_fills(account, [_fill(account, number, first) for number in numbers])
            fills = Fill.objects.filter(account=account, flow=None)
            FillFlow.objects.bulk_create([FillFlow(fill=fill, **done) for fill in fills])
            FillFlow.objects.filter(fill__account=account).update(**done)
            Fill.objects.filter(account=account).update(flow_due_at=None)
    rebuilding.rebuild_due(account)
    Trade.objects.filter(account=account).update(stamp_due_at=None)
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


def due() -> int:
    """What is still to be done for both: files, books, fills and trades."""
    mine = ExchangeAccount.objects.filter(label=LABEL)
    books = Book.objects.filter(account__in=mine, built__lt=F("version"), problem="")
    fills = Fill.objects.filter(account__in=mine).exclude(flow_due_at=None)
    trades = Trade.objects.filter(account__in=mine).exclude(stamp_due_at=None)
    uploads = Upload.objects.filter(account__in=mine, state__in=AT_WORK)
    return uploads.count() + books.count() + fills.count() + trades.count()


def without_demo() -> None:
    for user in (User.objects.get(username="demo"), demo.owner_of_original()):
        Preferences.objects.update_or_create(user=user)
        demo.remove(user)
