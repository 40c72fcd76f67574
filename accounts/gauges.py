"""How many people and accounts there are; nobody is named."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from accounts.models import ApiToken, ExchangeAccount, User
from lib.gauges import by_label, gauge

DAY = timedelta(days=1)


def families() -> Iterator[GaugeMetricFamily]:
    """Raises DatabaseError."""
    now = timezone.now()
    users = User.objects.filter(is_active=True)
    yield gauge("tapelog_users", "Active users", users.count())
    recent = users.filter(last_login__gt=now - DAY).count()
    yield gauge("tapelog_users_signed_in_day", "Users who signed in within a day", recent)
    tokens = ApiToken.objects.filter(expires_at__gt=now).count()
    yield gauge("tapelog_api_tokens", "Personal tokens that have not ended", tokens)
    accounts = ExchangeAccount.objects.here().order_by().values_list("state")
    states = dict(accounts.annotate(Count("pk")))
    known = ExchangeAccount.State.values
    yield by_label("tapelog_exchange_accounts", "Exchange accounts", "state", known, states)
