"""One's own record in moments like this one."""

from decimal import Decimal
from typing import Any

import numpy as np

from accounts.models import User
from journal.metrics.resampling import mean_range
from journal.models import Annotation, Trade
from journal.selectors.scope import counted
from lib.decimals import plain

NEWEST = 500
CENT = Decimal("0.01")
# the same trades give the same range
SEED = 7


def record_of(user: User, *, is_buy: bool, verdict: str, setup: str) -> dict[str, Any]:
    """Of the newest closed trades of this direction and flow, and of the setup where one is
    chosen; amounts in the report currency, None without any."""
    trades = counted(Trade.objects.visible_to(user)).filter(
        direction="LONG" if is_buy else "SHORT", flow=verdict, net_money__isnull=False
    )
    if setup:
        noted = Annotation.objects.filter(user=user, setup__name=setup)
        trades = trades.filter(key__in=noted.values("trade_key"))
    rows = trades.order_by("-closed_at").values_list("net_money", flat=True)[:NEWEST]
    nets = [net for net in rows if net is not None]
    record: dict[str, Any] = {
        "n": len(nets),
        "wins": sum(net > 0 for net in nets),
        "mean": None,
        "low": None,
        "high": None,
        "currency": user.report_currency,
    }
    if nets:
        values = np.array([float(net) for net in nets])
        low, high = mean_range(values, np.random.default_rng(SEED))
        mean = sum(nets, Decimal(0)) / len(nets)
        record |= {"mean": _cents(mean), "low": _cents(low), "high": _cents(high)}
    return record


def _cents(value: Decimal | float) -> str:
    return plain(Decimal(value).quantize(CENT))
