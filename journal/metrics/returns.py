"""Metrics of daily returns, with external flows removed (time-weighted). 365 days a year, sample
deviation, risk-free rate 0 unless given; a day is the user's (`days.py`).
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

from journal.metrics.trades import exactly
from journal.metrics.undefined import Metric, Undefined

ZERO, ONE = Decimal(0), Decimal(1)
YEAR = Decimal(365)
SHORTEST_FOR_CAGR = 90


@exactly
def daily_returns(equity: Sequence[Decimal], flows: Sequence[Decimal]) -> list[Decimal]:
    """r_d = (E_d - F_d) / E_{d-1} - 1. `equity` at the end of each day, the first one the start;
    `flows` net deposits of the same days, taken as made at the day's end. A day that starts with
    nothing has no return and counts as 0."""
    if len(flows) != len(equity):
        raise ValueError(f"expected a flow for each of {len(equity)} days, was {len(flows)}")
    return [
        (equity[day] - flows[day]) / equity[day - 1] - 1 if equity[day - 1] > 0 else ZERO
        for day in range(1, len(equity))
    ]


@exactly
def time_weighted(parts: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """A day cut at each flow: (value at the start, value before the next flow), chained."""
    growth = ONE
    for start, end in parts:
        if start > 0:
            growth *= end / start
    return growth - 1


@exactly
def growth(returns: Sequence[Decimal]) -> list[Decimal]:
    """V = product(1 + r), beginning with 1."""
    values = [ONE]
    for change in returns:
        values.append(values[-1] * (1 + change))
    return values


@exactly
def volatility(returns: Sequence[Decimal]) -> Metric:
    """std(r, ddof=1) x sqrt(365)"""
    if len(returns) < 2:
        return Undefined.NOTHING
    return _deviation(returns) * YEAR.sqrt()


@exactly
def sharpe(returns: Sequence[Decimal], daily_risk_free: Decimal = ZERO) -> Metric:
    """mean(r - rf) / std(r - rf, ddof=1) x sqrt(365)"""
    excess = [change - daily_risk_free for change in returns]
    deviation = _deviation(excess) if len(excess) > 1 else ZERO
    return _mean(excess) / deviation * YEAR.sqrt() if deviation else Undefined.NOTHING


@exactly
def sortino(returns: Sequence[Decimal], minimum: Decimal = ZERO) -> Metric:
    """mean(r - mar) x 365 / (sqrt(mean(min(r - mar, 0)^2)) x sqrt(365)), the mean over ALL days."""
    if not returns:
        return Undefined.NOTHING
    excess = [change - minimum for change in returns]
    downside = (sum((min(e, ZERO) ** 2 for e in excess), ZERO) / len(excess)).sqrt()
    return _mean(excess) * YEAR / (downside * YEAR.sqrt()) if downside else Undefined.NO_LOSSES


@exactly
def drawdowns(returns: Sequence[Decimal]) -> list[Decimal]:
    """V_d / running max V - 1 for each day, the starting point 1 included in the maximum."""
    peak, depths = ONE, []
    for value in growth(returns)[1:]:
        peak = max(peak, value)
        depths.append(value / peak - 1)
    return depths


def max_drawdown_pct(returns: Sequence[Decimal]) -> Decimal:
    """As a fraction <= 0; a loss on the first day is a drawdown."""
    return min(drawdowns(returns), default=ZERO)


def longest_drawdown_days(returns: Sequence[Decimal]) -> int:
    """Longest time between highs in days, the one still open included."""
    longest = last_high = 0
    is_below = False
    for day, depth in enumerate(drawdowns(returns), 1):
        if is_below or depth < 0:
            longest = max(longest, day - last_high)
        is_below = depth < 0
        if not is_below:
            last_high = day
    return longest


@exactly
def cagr(returns: Sequence[Decimal]) -> Metric:
    """V_end^(365 / days) - 1; hidden under 90 days."""
    if len(returns) < SHORTEST_FOR_CAGR:
        return Undefined.TOO_SHORT
    end = growth(returns)[-1]
    return end ** (YEAR / len(returns)) - 1 if end > 0 else Decimal(-1)


@exactly
def calmar(returns: Sequence[Decimal]) -> Metric:
    """CAGR / |max drawdown %| over the whole span given."""
    yearly, deepest = cagr(returns), max_drawdown_pct(returns)
    if isinstance(yearly, Undefined):
        return yearly
    return yearly / -deepest if deepest else Undefined.NOTHING


@exactly
def ulcer_index(returns: Sequence[Decimal]) -> Metric:
    """sqrt(mean(DD_d^2))"""
    depths = drawdowns(returns)
    if not depths:
        return Undefined.NOTHING
    return (sum((depth * depth for depth in depths), ZERO) / len(depths)).sqrt()


@exactly
def value_at_risk(returns: Sequence[Decimal], share: Decimal = Decimal("0.05")) -> Metric:
    """The empirical quantile of r, linear between neighbours."""
    if not returns:
        return Undefined.NOTHING
    ordered = sorted(returns)
    place = share * (len(ordered) - 1)
    below = int(place.to_integral_value(ROUND_FLOOR))
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _mean(values: Sequence[Decimal]) -> Decimal:
    return sum(values, ZERO) / len(values)


def _deviation(values: Sequence[Decimal]) -> Decimal:
    mean = _mean(values)
    if len(set(values)) == 1:
        return ZERO
    return (sum(((v - mean) ** 2 for v in values), ZERO) / (len(values) - 1)).sqrt()
