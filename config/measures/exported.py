"""All that /metrics tells: each source by itself, so that one that is away hides no other."""

import time
from collections.abc import Callable, Iterable, Iterator

import redis
import structlog
from django.conf import settings
from django.db import DatabaseError
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from accounts import gauges as accounts
from alerts.selectors import gauges as alerts
from config.measures import stores, timing
from journal.selectors import gauges as journal
from market.selectors.gauges import MarketMetrics
from trading.selectors import gauges as trading

log = structlog.get_logger(__name__)

Source = Callable[[], Iterable[Metric]]
# Asked at each scrape.
NOW: dict[str, Source] = {
    "market": MarketMetrics().collect,
    "valkey": stores.valkey,
    "timing": timing.families,
    "trading": trading.families,
}
# Counted over tables: at most so often in each process.
COUNTED_EVERY_SECONDS = 15.0
COUNTED: dict[str, Source] = {
    "postgresql": stores.postgresql,
    "machine": stores.machine,
    "backups": stores.backups,
    "accounts": accounts.families,
    "journal": journal.families,
    "alerts": alerts.families,
}


class Everything(Collector):
    """`tapelog_source_up` says of each source whether it could be read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, list[Metric]]] = {}

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "tapelog_source_up", "Whether these figures could be read", labels=["source"]
        )
        for name, source in {**NOW, **COUNTED}.items():
            families = self._families(name, source)
            up.add_metric([name], float(families is not None))
            yield from families or ()
        yield up
        version = str(settings.SPECTACULAR_SETTINGS["VERSION"])
        info = {"venue": str(settings.VENUE), "version": version}
        yield InfoMetricFamily("tapelog_build", "What runs", value=info)

    def _families(self, name: str, source: Source) -> list[Metric] | None:
        """None where the source is away."""
        read_at, kept = self._kept.get(name, (float("-inf"), []))
        if name in COUNTED and self._clock() - read_at < COUNTED_EVERY_SECONDS:
            return kept
        try:
            families = list(source())
        except (redis.RedisError, DatabaseError, OSError) as error:
            log.warning("figures not read", source=name, error=type(error).__name__)
            return None
        self._kept[name] = (self._clock(), families)
        return families

    def forget(self) -> None:
        self._kept.clear()
