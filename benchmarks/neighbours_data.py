"""A user with a long history, straight into the database of a running system."""

from datetime import timedelta
from decimal import Decimal

from django.db.models import F
from django.utils import timezone

from accounts.models import User
from accounts.services.connecting import make_keyless
from accounts.services.tokens import issue_token
from journal.models import Book, Fill, FillFlow


def fill(name: str, password: str, count: int) -> tuple[str, str]:
    """(a token, the id of a keyless account) of a new user with so many fills, a minute apart."""
    user = User.objects.create_user(name, f"{name}@example.org", password)
    account = make_keyless(user=user, label="files")
    first = timezone.now() - timedelta(minutes=count)
    Fill.objects.bulk_create(
        [
            Fill(
                account=account,
                market="spot",
                symbol="BTCUSDT",
                trade_id=number,
                order_id=number,
                base="BTC",
                quote="USDT",
                side="SELL" if number % 2 else "BUY",
                price=Decimal(100 + number % 7),
                quantity=Decimal(1),
                quote_quantity=Decimal(100 + number % 7),
                fee=Decimal("0.1"),
                fee_asset="USDT",
                is_maker=False,
                time=first + timedelta(minutes=number),
                source="file",
            )
            for number in range(count)
        ],
        batch_size=5000,
    )
    return issue_token(user=user), str(account.pk)


def due() -> int:
    """How much is still to be read, computed or looked up: the demo's, whose copies wait until
    somebody has them, and every book."""
    fills = Fill.objects.filter(account__user__username="demo")
    return (
        Book.objects.filter(built__lt=F("version"), problem="").count()
        + fills.filter(flow=None).count()
        + FillFlow.objects.filter(fill__in=fills, refused="").exclude(stage="done").count()
    )
