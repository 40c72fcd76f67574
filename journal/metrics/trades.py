"""Metrics of closed trades. `nets` are net PnL of each closed trade after fees and funding, in the
report currency, in the order of closing; `rs` the R multiples of those that had a risk.

Definitions and their sources: docs/how-we-calculate.md.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import wraps
from typing import ParamSpec, TypeVar

from journal.metrics.undefined import PRECISION, Metric, Undefined

P = ParamSpec("P")
R = TypeVar("R")
ZERO = Decimal(0)
SQN_CAP = 100


def exactly(function: Callable[P, R]) -> Callable[P, R]:
    """Compute in the metrics' own precision, whatever the caller's is."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        with localcontext(PRECISION):
            return function(*args, **kwargs)

    return wrapped


@exactly
def win_rate(nets: Sequence[Decimal]) -> Metric:
    """|W| / n; a breakeven trade is no win."""
    if not nets:
        return Undefined.NOTHING
    return Decimal(len(_wins(nets))) / len(nets)


@exactly
def win_rate_without_breakeven(nets: Sequence[Decimal]) -> Metric:
    """|W| / (|W| + |L|)"""
    decided = len(_wins(nets)) + len(_losses(nets))
    return Decimal(len(_wins(nets))) / decided if decided else Undefined.NOTHING


@exactly
def average_win(nets: Sequence[Decimal]) -> Metric:
    return _mean(_wins(nets))


@exactly
def average_loss(nets: Sequence[Decimal]) -> Metric:
    """Negative."""
    return _mean(_losses(nets))


@exactly
def payoff_ratio(nets: Sequence[Decimal]) -> Metric:
    """mean(W) / |mean(L)|"""
    win, loss = _mean(_wins(nets)), _mean(_losses(nets))
    if isinstance(win, Undefined) or isinstance(loss, Undefined):
        return Undefined.NOTHING
    return win / -loss


@exactly
def profit_factor(nets: Sequence[Decimal]) -> Metric:
    """sum W / |sum L|; without losses there is none, and no number stands in for it."""
    if not nets:
        return Undefined.NOTHING
    lost = sum(_losses(nets), ZERO)
    return sum(_wins(nets), ZERO) / -lost if lost else Undefined.NO_LOSSES


@exactly
def expectancy(nets: Sequence[Decimal]) -> Metric:
    """mean(p), in money."""
    return _mean(nets)


@exactly
def initial_risk(entry: Decimal, initial_stop: Decimal, quantity: Decimal) -> Decimal:
    """|average entry - initial stop| x quantity; the stop is the one frozen at entry, not where it
    was moved to."""
    return abs(entry - initial_stop) * quantity


@exactly
def r_multiple(net: Decimal, risk: Decimal) -> Metric:
    """net / risk, both in one currency."""
    return net / risk if risk else Undefined.NOTHING


@exactly
def expectancy_r(rs: Sequence[Decimal]) -> Metric:
    """mean(R) over the trades that have a risk."""
    return _mean(rs)


@exactly
def sqn(rs: Sequence[Decimal]) -> Metric:
    """sqrt(min(n, 100)) x mean(R) / stdev(R), sample deviation."""
    deviation = _deviation(rs)
    mean = _mean(rs)
    if isinstance(mean, Undefined) or not deviation:
        return Undefined.NOTHING
    return Decimal(min(len(rs), SQN_CAP)).sqrt() * mean / deviation


@exactly
def kelly(nets: Sequence[Decimal]) -> Metric:
    """P(W) - P(L) / payoff: an upper bound."""
    payoff = payoff_ratio(nets)
    if isinstance(payoff, Undefined):
        return Undefined.NOTHING
    return Decimal(len(_wins(nets))) / len(nets) - Decimal(len(_losses(nets))) / len(nets) / payoff


@exactly
def k_ratio(nets: Sequence[Decimal]) -> Metric:
    """Slope of the regression of cumulative PnL on the trade's number, divided by the slope's
    standard error (Kestner)."""
    count = len(nets)
    if count < 3:
        return Undefined.NOTHING
    curve, total = [], ZERO
    for net in nets:
        total += net
        curve.append(total)
    mean_x, mean_y = Decimal(count - 1) / 2, sum(curve, ZERO) / count
    spread = sum(((x - mean_x) ** 2 for x in range(count)), ZERO)
    slope = sum(((x - mean_x) * (y - mean_y) for x, y in enumerate(curve)), ZERO) / spread
    residuals = [y - mean_y - slope * (x - mean_x) for x, y in enumerate(curve)]
    error = (sum((r * r for r in residuals), ZERO) / (count - 2) / spread).sqrt()
    # residuals of a straight line are rounding, not deviation
    scale = max(abs(y) for y in curve)
    return slope / error if error > scale * Decimal("1e-40") else Undefined.NOTHING


def chance(rs: Sequence[Decimal]) -> float | Undefined:
    """Two-sided p-value of a t-test that mean(R) is 0: how often chance alone does as well."""
    with localcontext(PRECISION):
        deviation, mean = _deviation(rs), _mean(rs)
        if isinstance(mean, Undefined) or not deviation:
            return Undefined.NOTHING
        t = float(mean / deviation * Decimal(len(rs)).sqrt())
    return student_p(t, len(rs) - 1)


def student_p(t: float, freedom: int) -> float:
    """Two-sided p of Student's t, by the incomplete beta function (Abramowitz & Stegun 26.7.1)."""
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


@exactly
def max_drawdown_money(nets: Iterable[Decimal]) -> Decimal:
    """min(C - running max C), C the cumulative net PnL from 0; 0 when it never fell."""
    total = peak = deepest = ZERO
    for net in nets:
        total += net
        peak = max(peak, total)
        deepest = min(deepest, total - peak)
    return deepest


@exactly
def recovery_factor(nets: Sequence[Decimal]) -> Metric:
    """Net PnL / |max drawdown in money|"""
    deepest = max_drawdown_money(nets)
    return sum(nets, ZERO) / -deepest if deepest else Undefined.NOTHING


@dataclass(frozen=True)
class Streaks:
    """Lengths of runs; a breakeven trade ends both. `current` is negative in a losing run."""

    longest_win: int
    longest_loss: int
    current: int


def streaks(nets: Iterable[Decimal]) -> Streaks:
    longest_win = longest_loss = current = 0
    for net in nets:
        if net > 0:
            current = max(current, 0) + 1
        elif net < 0:
            current = min(current, 0) - 1
        else:
            current = 0
        longest_win, longest_loss = max(longest_win, current), max(longest_loss, -current)
    return Streaks(longest_win, longest_loss, current)


def exposure(spans: Iterable[tuple[float, float]], start: float, end: float) -> float | Undefined:
    """Share of the time from start to end with any position open; overlaps count once."""
    if end <= start:
        return Undefined.NOTHING
    covered, reached = 0.0, start
    for opened, closed in sorted(spans):
        first, last = max(opened, reached), min(closed, end)
        if last > first:
            covered += last - first
            reached = last
    return covered / (end - start)


def _wins(nets: Sequence[Decimal]) -> list[Decimal]:
    return [net for net in nets if net > 0]


def _losses(nets: Sequence[Decimal]) -> list[Decimal]:
    return [net for net in nets if net < 0]


def _mean(values: Sequence[Decimal]) -> Metric:
    return sum(values, ZERO) / len(values) if values else Undefined.NOTHING


def _deviation(values: Sequence[Decimal]) -> Decimal:
    """Sample standard deviation; 0 below two values."""
    if len(values) < 2 or len(set(values)) == 1:
        return ZERO
    mean = sum(values, ZERO) / len(values)
    return (sum(((v - mean) ** 2 for v in values), ZERO) / (len(values) - 1)).sqrt()


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta, by Lentz's continued fraction (Numerical Recipes 6.4)."""
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    tiny = 1e-300
    c, d = 1.0, 1 / max(1 - (a + b) * x / (a + 1), tiny)
    fraction = d
    for m in range(1, 300):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + numerator * d or tiny)
            c = 1 + numerator / c or tiny
            fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * fraction / a
