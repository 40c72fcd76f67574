"""What Prometheus may ask: tapes, the request weight, bans and clocks, read when asked."""

import time
from collections.abc import Iterator
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from market.binance import governor
from market.hot import keys
from market.hot.client import hot_client
from market.hot.codec import decode_gap
from market.models import CollectorLease, Instrument
from market.services.following import not_traded


class MarketMetrics(Collector):
    """A store that is away leaves its figures out."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            yield from self._tapes()
            yield from self._exchange()
            yield self._leases()
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
        found: Any = hot_client().hmget(keys.state(instrument.key), ["covered_to", "last_id"])
        return int(found[0] or 0), int(found[1] or 0)

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
