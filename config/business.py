"""What runs here, in figures for the staff: people, work, cost. The same that /metrics tells."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from accounts.models import ExchangeAccount, User
from alerts.models import Alert, AlertEvent
from journal.models import Book, Difference, Fill, Sync
from market.binance import governor
from market.binance.budgets import WEIGHTS_A_MINUTE, hosts
from market.hot.client import hot_client
from market.selectors.backups import standing
from market.selectors.figures import Figure
from trading.models import OrderIntent

DAY = timedelta(days=1)


def people() -> Iterator[Figure]:
    """Raises DatabaseError."""
    since, here = timezone.now() - DAY, ExchangeAccount.objects.here()
    yield _("Users"), str(User.objects.filter(is_active=True).count())
    yield _("Exchange accounts"), str(here.count())
    fills = Fill.objects.filter(account__venue=settings.VENUE, time__gt=since).count()
    yield _("Fills of the last day"), str(fills)
    syncs = Sync.objects.filter(account__in=here)
    yield _("Histories that are whole"), _of(syncs.filter(state="complete").count(), syncs.count())
    books = Book.objects.filter(account__in=here)
    yield (
        _("Books to be computed"),
        _of(books.filter(built__lt=F("version")).count(), books.count()),
    )
    compared = Difference.objects.filter(account__in=here)
    different = compared.exclude(reported=F("calculated")).count()
    yield _("Balances that do not add up"), _of(different, compared.count())
    orders = OrderIntent.objects.here().filter(made_at__gt=since).count()
    yield _("Orders of the last day"), str(orders)
    yield _("Alerts at work"), str(Alert.objects.filter(is_paused=False).count())
    events = AlertEvent.objects.filter(created_at__gt=since).count()
    yield _("Alerts of the last day"), str(events)


def cost() -> Iterator[Figure]:
    """Raises DatabaseError, RedisError, OSError."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        yield _("Size of the database"), filesizeformat(cursor.fetchone()[0])
    client = hot_client()
    info: Any = client.info("memory")
    yield _("Memory of Valkey"), filesizeformat(info["used_memory"])
    disk = shutil.disk_usage(settings.DATA_DIR)
    yield _("Room on the disk"), filesizeformat(disk.free)
    seen = standing()
    yield _("Newest backup"), _ago(seen.made_at)
    yield _("Last trial restore"), _ago(seen.tried_at)
    minute = int(time.time() // 60)
    for part, host in hosts().items():
        used: Any = client.get(f"{governor.count_key(host)}{minute}")
        most = WEIGHTS_A_MINUTE[part] * settings.WEIGHT_BUDGET_PCT // 100
        yield _("Request weight of this minute") + f" ({part})", _of(int(used or 0), most)


def _ago(at: float | None) -> str:
    """An epoch time as `3 hours ago`."""
    if at is None:
        return _("never")
    return _("%(span)s ago") % {"span": timesince(datetime.fromtimestamp(at, UTC))}


def _of(count: int, whole: int) -> str:
    return f"{count} / {whole}"
