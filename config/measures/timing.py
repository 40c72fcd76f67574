"""How long requests and tasks take, in all processes."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from market.hot import tally, timers
from market.live.hub import RESYNCED, SKIPPED

REQUEST_SECONDS = tally.Timer(
    "tapelog_http_request_duration_seconds",
    "Time from a request's arrival to its answer",
    ("route",),
    (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
REQUESTS = tally.Count("tapelog_http_requests", "Answers by class", ("route", "status"))
TASK_SECONDS = tally.Timer(
    "tapelog_task_duration_seconds",
    "Time that a task takes",
    ("task",),
    (0.01, 0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0),
)
TASKS = tally.Count("tapelog_tasks", "Tasks that ended", ("task", "outcome"))
CLASSES = ("2xx", "3xx", "4xx", "5xx")
OUTCOMES = ("done", "failed")
# What matches no route, Django's admin and allauth are told as one each.
UNMATCHED, ADMIN, SIGN_IN = "unmatched", "admin", "sign-in"

Labels = list[tuple[str, ...]]
Totals = dict[tuple[str, tuple[str, ...], str], int]


def route_of(match: Any) -> str:
    """The label of a request's route; `match`: its ResolverMatch, or None."""
    if match is None or not match.url_name:
        return UNMATCHED
    if "admin" in match.app_names:
        return ADMIN
    name = str(match.view_name)
    return name if name in routes() else SIGN_IN


@cache
def routes() -> tuple[str, ...]:
    """Names of our own routes."""
    return tuple(sorted(set(_names(get_resolver().url_patterns, ""))))


def _names(patterns: Any, head: str) -> Iterator[str]:
    for entry in patterns:
        path = head + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if not path.startswith(("admin/", "accounts/")):
                yield from _names(entry.url_patterns, path)
        elif isinstance(entry, URLPattern) and entry.name:
            yield entry.name


def tasks() -> tuple[str, ...]:
    beat = {str(row["task"]) for row in settings.CELERY_BEAT_SCHEDULE.values()}
    return tuple(sorted(beat | set(settings.CELERY_TASK_ROUTES)))


def families() -> Iterator[HistogramMetricFamily | CounterMetricFamily]:
    """Raises RedisError."""
    tally.hand_over()
    totals = tally.totals()
    labels: Labels = [(name,) for name in (*routes(), UNMATCHED, ADMIN, SIGN_IN)]
    yield _histogram(REQUEST_SECONDS, labels, totals)
    yield _counter(REQUESTS, [(*row, status) for row in labels for status in CLASSES], totals)
    names: Labels = [(name,) for name in tasks()]
    yield _histogram(TASK_SECONDS, names, totals)
    yield _counter(TASKS, [(*row, outcome) for row in names for outcome in OUTCOMES], totals)
    markets: Labels = [(market,) for market in timers.MARKETS]
    yield _histogram(timers.FLUSH, markets, totals)
    sockets: Labels = [(route,) for route in timers.SOCKET_ROUTES]
    yield _histogram(timers.SOCKET_OPENING, sockets, totals)
    yield _histogram(timers.SOCKET_WAIT, sockets, totals)
    ends = [(*row, outcome) for row in sockets for outcome in timers.OUTCOMES]
    yield _counter(timers.SOCKETS, ends, totals)
    yield _counter(SKIPPED, [()], totals)
    yield _counter(RESYNCED, [()], totals)


def _all(name: str, known: Labels, totals: Totals) -> Labels:
    told = {labels for metric, labels, _ in totals if metric == name}
    return [*known, *sorted(told - set(known))]


def _histogram(timer: tally.Timer, known: Labels, totals: Totals) -> HistogramMetricFamily:
    family = HistogramMetricFamily(timer.name, timer.text, labels=timer.labels)
    bounds = [*map(str, timer.bounds), "+Inf"]
    for labels in _all(timer.name, known, totals):
        cumulative, buckets = 0, []
        for number, bound in enumerate(bounds):
            cumulative += totals.get((timer.name, labels, str(number)), 0)
            buckets.append((bound, float(cumulative)))
        seconds = totals.get((timer.name, labels, "sum"), 0) / 1e6
        family.add_metric(labels, buckets, seconds)
    return family


def _counter(what: tally.Count, known: Labels, totals: Totals) -> CounterMetricFamily:
    family = CounterMetricFamily(what.name, what.text, labels=what.labels)
    for labels in _all(what.name, known, totals):
        family.add_metric(labels, float(totals.get((what.name, labels, "n"), 0)))
    return family
