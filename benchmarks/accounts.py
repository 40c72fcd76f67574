"""An account with made-up closed trades, and how long a piece of work takes: what measurements of
the journal begin with."""

import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import connection

from accounts.models import ExchangeAccount, User
from journal.models import Trade

START = datetime(2024, 1, 1, tzinfo=UTC)
SYMBOLS = ("BTC", "ETH", "SOL", "BNB", "XRP", "ADA", "DOT", "LTC", "LINK", "AVAX")
BATCH = 1000


def make_user() -> User:
    return User.objects.create_user(f"bench-{uuid.uuid4().hex[:8]}", f"{uuid.uuid4()}@x.invalid")


def make_account(user: User) -> ExchangeAccount:
    return ExchangeAccount.objects.create(
        id=uuid.uuid4(),
        user=user,
        venue="simulator",
        label="bench",
        key_kind="hmac",
        api_key=b"x",
        api_secret=b"x",
        kek_id=1,
        api_key_hash=uuid.uuid4().hex,
        last_four="0000",
    )


def make_trades(account: ExchangeAccount, count: int) -> None:
    """Closed ones of ten symbols, nine minutes apart; `count` to a whole thousand."""
    Trade.objects.bulk_create(_trade(account, number) for number in range(BATCH))
    later = f"make_interval(mins => {9 * BATCH} * batch)"
    others = {"key": "key || '-' || batch", "opened_at": f"opened_at + {later}"}
    others["closed_at"] = f"closed_at + {later}"
    fields = (field for field in Trade._meta.concrete_fields if not field.primary_key)
    columns = [str(field.column) for field in fields]
    values = ", ".join(others.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO journal_trade ({', '.join(columns)}) "  # noqa: S608  (the model's own)
            f"SELECT {values} FROM journal_trade CROSS JOIN generate_series(1, %s) batch "
            "WHERE account_id = %s",
            [count // BATCH - 1, account.pk],
        )
        cursor.execute("ANALYZE journal_trade")


def _trade(account: ExchangeAccount, number: int) -> Trade:
    base = SYMBOLS[number % len(SYMBOLS)]
    opened = START + timedelta(minutes=9 * number)
    net = Decimal(number * 7919 % 2003 - 1000) / 10
    return Trade(
        account=account,
        key=f"bench-{number}",
        market="spot",
        symbol=f"{base}USDT",
        base=base,
        quote="USDT",
        position_side="BOTH",
        direction="LONG" if number % 3 else "SHORT",
        opened_at=opened,
        closed_at=opened + timedelta(minutes=number % 240 + 1),
        quantity=Decimal(1),
        entry_price=Decimal(1000),
        exit_price=Decimal(1000) + net,
        gross=net,
        fees=Decimal(1),
        funding=Decimal(0),
        net=net - 1,
        rate=Decimal(1),
        gross_money=net,
        fees_money=Decimal(1),
        funding_money=Decimal(0),
        net_money=net - 1,
        size_money=Decimal(1000 + number % 977),
        fill_count=2,
        maker_share=Decimal(number % 2),
        flow=("with", "mixed", "against")[number % 3],
        placed_stop=Decimal(900),
        worst=-abs(net),
        best=abs(net),
    )


def timed(work: Callable[[], object], rounds: int) -> float:
    """Median of several rounds, in ms; the first one does not count."""
    work()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times)
