"""What Prometheus may ask: tapes, the request weight, bans and clocks, read when asked."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lib.gauges import by_label, gauge
from market.archive import audits
from market.binance import governor
from market.binance.budgets import WEIGHTS_A_MINUTE, hosts
from market.hot import keys
from market.hot.client import hot_client
from market.hot.codec import decode_gap
from market.live.limits import PROCESSES
from market.models import CollectorLease, CollectorWorker, Instrument, MinuteAudit, Trouble
from market.services.following import not_traded

DAY = timedelta(days=1)


class MarketMetrics(Collector):
    """A store that is away leaves its figures out."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            yield from self._tapes()
            yield from self._exchange()
            yield self._leases()
            yield from self._governor()
            yield from self._market()
            yield self._sockets()
        except (redis.RedisError, DatabaseError):
            return

    def _tapes(self) -> Iterator[GaugeMetricFamily]:
        lag = GaugeMetricFamily(
            "tapelog_tape_lag_seconds", "Exchange time not covered yet", labels=["market", "symbol"]
        )
        last_id = GaugeMetricFamily(
            "tapelog_tape_last_id", "The cursor", labels=["market", "symbol"]
        )
        gaps = GaugeMetricFamily(
            "tapelog_tape_open_gaps", "Gaps that are being filled", labels=["market", "symbol"]
        )
        halted = not_traded()
        for instrument in Instrument.objects.filter(venue=settings.VENUE, is_followed=True):
            if (instrument.market, instrument.symbol) in halted:
                continue  # nothing is late where nothing is traded
            covered, cursor = self._state(instrument)
            labels = [instrument.market, instrument.symbol]
            if covered:
                lag.add_metric(labels, max(0.0, time.time() - covered / 1000))
                last_id.add_metric(labels, cursor)
            texts: Any = hot_client().hvals(keys.gaps(instrument.key))
            gaps.add_metric(labels, sum(decode_gap(text).state == "open" for text in texts))
        yield from (lag, last_id, gaps)

    def _state(self, instrument: Instrument) -> tuple[int, int]:
        values: Any = hot_client().hmget(keys.state(instrument.key), ["covered_to", "last_id"])
        return int(values[0] or 0), int(values[1] or 0)

    def _exchange(self) -> Iterator[GaugeMetricFamily]:
        host = settings.BINANCE_SPOT_API_URL
        minute = int(time.time() // 60)
        client = hot_client()
        weight: Any = client.get(f"{governor.count_key(host)}{minute}")
        banned: Any = client.get(governor.ban_key(host))
        offset: Any = client.get(governor.clock_key(host))
        yield GaugeMetricFamily(
            "tapelog_request_weight", "Used this minute", value=int(weight or 0)
        )
        left = max(0.0, int(banned or 0) / 1000 - time.time())
        yield GaugeMetricFamily("tapelog_ban_seconds", "Left of a ban", value=left)
        if offset is not None:
            yield GaugeMetricFamily(
                "tapelog_clock_offset_seconds", "Exchange minus ours", value=float(offset) / 1000
            )

    def _leases(self) -> GaugeMetricFamily:
        held = GaugeMetricFamily(
            "tapelog_share_held", "Whether a collector holds the share", labels=["share"]
        )
        for lease in CollectorLease.objects.filter(share__startswith=f"{settings.VENUE}:"):
            is_held = bool(lease.holder) and lease.until.timestamp() > time.time()
            held.add_metric([lease.share], float(is_held))
        return held

    def _governor(self) -> Iterator[GaugeMetricFamily]:
        """By budget: `api` and `sapi` of spot's host, `fapi` of the futures'."""
        minute, client = int(time.time() // 60), hot_client()
        used: dict[str, float] = {}
        left: dict[str, float] = {}
        for part, host in hosts().items():
            weight: Any = client.get(f"{governor.count_key(host)}{minute}")
            until: Any = client.get(governor.ban_key(host))
            used[part] = float(weight or 0)
            left[part] = max(0.0, float(until or 0) / 1000 - time.time())
        most = {
            part: weight * settings.WEIGHT_BUDGET_PCT / 100
            for part, weight in WEIGHTS_A_MINUTE.items()
        }
        text = "Weight used this minute, all processes"
        yield by_label("tapelog_governor_weight", text, "budget", most, used)
        text = "Weight that we allow ourselves a minute"
        yield by_label("tapelog_governor_weight_limit", text, "budget", most, most)
        yield by_label("tapelog_governor_ban_seconds", "Left of a ban", "budget", most, left)

    def _market(self) -> Iterator[GaugeMetricFamily]:
        followed = Instrument.objects.filter(venue=settings.VENUE, is_followed=True)
        rows = followed.order_by().values_list("market").annotate(Count("pk"))
        markets = Instrument.Market.values
        text = "Markets that are followed"
        yield by_label("tapelog_followed_markets", text, "market", markets, dict(rows))
        states: dict[str, float] = dict.fromkeys(MinuteAudit.State.values, 0)
        for counts in audits.counts(timezone.now() - DAY).values():
            for state, number in counts.items():
                states[state] = states.get(state, 0) + number
        text = "Minutes of the last day by what their audit found"
        yield by_label("tapelog_audited_minutes", text, "state", states, states)
        kinds = Trouble.objects.order_by().values_list("kind").annotate(Count("pk"))
        text = "Troubles of tapes that are told on /status/"
        yield by_label("tapelog_troubles", text, "kind", Trouble.Kind.values, dict(kinds))
        workers = CollectorWorker.objects.filter(until__gt=timezone.now()).count()
        yield gauge("tapelog_collector_workers", "Processes that take shares", workers)

    def _sockets(self) -> GaugeMetricFamily:
        """Of all web processes, as each keeps it in Redis (market.live.limits)."""
        client = hot_client()
        names: Any = client.smembers(PROCESSES)
        held: list[Any] = [client.hget(f"{PROCESSES}:{name.decode()}", "all") for name in names]
        return gauge("tapelog_live_sockets", "Open live sockets", sum(int(n or 0) for n in held))
