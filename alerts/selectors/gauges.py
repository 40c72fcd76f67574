"""Alerts, what happened, and what waits to be delivered."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from alerts.models import Alert, AlertEvent, Channel, Delivery
from lib.gauges import by_label, gauge

DAY = timedelta(days=1)


def families() -> Iterator[GaugeMetricFamily]:
    """Raises DatabaseError."""
    now = timezone.now()
    paused = Alert.objects.filter(is_paused=True).count()
    counts = {"armed": Alert.objects.count() - paused, "paused": paused}
    yield by_label("tapelog_alerts", "Alerts", "state", counts, counts)
    events = AlertEvent.objects.filter(created_at__gt=now - DAY).count()
    yield gauge("tapelog_alert_events_day", "Events of the last day", events)
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
    rows = Delivery.objects.filter(created_at__gt=now - DAY).order_by()
    states = dict(rows.values_list("state").annotate(Count("pk")))
    states[Delivery.State.WAITING] = waiting.count()
    known = Delivery.State.values
    text = "Deliveries of the last day; waiting: of all days"
    yield by_label("tapelog_deliveries", text, "state", known, states)
    oldest = waiting.aggregate(at=Min("created_at"))["at"]
    age = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    text = "Age of the oldest delivery that waits"
    yield gauge("tapelog_delivery_oldest_seconds", text, age)
    channels = dict(Channel.objects.order_by().values_list("state").annotate(Count("pk")))
    text = "Ways out to users"
    yield by_label("tapelog_alert_channels", text, "state", Channel.Status.values, channels)
