"""How far the journals are: reading, computing, comparing. No figure of anybody's money."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, F, Sum
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from accounts.models import ExchangeAccount
from journal.models import Book, Difference, Fill, Market, OpenPosition, Sync, Trade, Upload
from lib.gauges import by_label, gauge

DAY = timedelta(days=1)


def families() -> Iterator[GaugeMetricFamily]:
    """Raises DatabaseError."""
    yield from _syncs()
    yield from _books()
    yield from _rows()


def _syncs() -> Iterator[GaugeMetricFamily]:
    syncs = Sync.objects.filter(account__venue=settings.VENUE).order_by()
    states = dict(syncs.values_list("state").annotate(Count("pk")))
    text = "Histories of accounts by state"
    yield by_label("tapelog_syncs", text, "state", Sync.State.values, states)
    running = syncs.filter(state=Sync.State.RUNNING).aggregate(
        done=Sum("done", default=0), expected=Sum("expected", default=0)
    )
    text = "Requests of the readings at work, answered"
    yield gauge("tapelog_sync_requests_done", text, running["done"])
    text = "Requests of the readings at work, expected"
    yield gauge("tapelog_sync_requests_expected", text, running["expected"])
    whole = syncs.filter(account__state=ExchangeAccount.State.LIVE).order_by("whole_at")
    oldest = whole.values_list("whole_at", flat=True).exclude(whole_at=None).first()
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    text = "Age of the oldest whole reading of a live account"
    yield gauge("tapelog_sync_oldest_seconds", text, age)


def _books() -> Iterator[GaugeMetricFamily]:
    books = Book.objects.filter(account__venue=settings.VENUE)
    waiting = books.filter(built__lt=F("version")).count()
    yield gauge("tapelog_books_waiting", "Books that are to be computed", waiting)
    yield gauge("tapelog_books", "Books", books.count())
    parked = books.exclude(problem="").count()
    yield gauge("tapelog_books_parked", "Books that cannot be computed", parked)
    compared = Difference.objects.filter(account__venue=settings.VENUE).order_by()
    different = compared.exclude(reported=F("calculated"))
    rows = different.values_list("wallet").annotate(Count("pk"))
    text = "Assets whose history does not add up to what the exchange reports"
    wallets = Difference._meta.get_field("wallet").choices or []
    known = [str(value) for value, _ in wallets]
    yield by_label("tapelog_reconciliation_differences", text, "wallet", known, dict(rows))
    yield gauge("tapelog_reconciliation_compared", "Assets compared", compared.count())


def _rows() -> Iterator[GaugeMetricFamily]:
    since = timezone.now() - DAY
    here = Fill.objects.filter(account__venue=settings.VENUE, time__gt=since).order_by()
    rows = here.values_list("market").annotate(Count("pk"))
    text = "Fills of the last day"
    yield by_label("tapelog_fills_day", text, "market", Market.values, dict(rows))
    positions = OpenPosition.objects.filter(account__venue=settings.VENUE).count()
    yield gauge("tapelog_open_positions", "Open positions of all accounts", positions)
    recent = Trade.objects.filter(account__venue=settings.VENUE, closed_at__gt=since)
    yield gauge("tapelog_trades_closed_day", "Trades closed within a day", recent.count())
    unstamped = recent.filter(stamp_due_at__isnull=False).count()
    text = "Of these, trades whose order flow is not final"
    yield gauge("tapelog_trades_unstamped_day", text, unstamped)
    uploads = Upload.objects.filter(account__venue=settings.VENUE).order_by()
    states = dict(uploads.values_list("state").annotate(Count("pk")))
    yield by_label(
        "tapelog_uploads", "Exports that were given", "state", Upload.State.values, states
    )
