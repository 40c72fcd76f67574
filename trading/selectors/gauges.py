"""Orders on their way, and what became of the last day's."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from lib.gauges import by_label, gauge
from trading.models import OrderIntent, RuleBreak, TradingSwitch

DAY = timedelta(days=1)


def families() -> Iterator[GaugeMetricFamily]:
    """Raises DatabaseError."""
    now = timezone.now()
    intents = OrderIntent.objects.here().order_by()
    states = dict(intents.filter(made_at__gt=now - DAY).values_list("state").annotate(Count("pk")))
    text = "Orders of the last day by state"
    yield by_label("tapelog_order_intents", text, "state", OrderIntent.State.values, states)
    open_ones = intents.exclude(state__in=OrderIntent.ENDED)
    oldest = open_ones.aggregate(at=Min("made_at"))["at"]
    age = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
    text = "Age of the oldest order whose outcome is not known"
    yield gauge("tapelog_order_unsettled_seconds", text, age)
    switches = TradingSwitch.objects.filter(is_on=True, until__gt=now).count()
    yield gauge("tapelog_trading_switches_on", "Accounts that may trade now", switches)
    breaks = RuleBreak.objects.filter(at__gt=now - DAY).count()
    yield gauge("tapelog_rule_breaks_day", "Broken rules of the last day", breaks)
