"""One market under watch: its bars come in, its alerts' changes are written down."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

import structlog

from alerts.conditions.watches import Change, MarketWatch, longest_window
from alerts.evaluation import told
from alerts.evaluation.rows import Row
from alerts.selectors import bars as history
from alerts.services import firing
from lib.decimals import text
from market.flow.bands import SETS
from market.flow.bars import Bar
from market.hot.codec import BigOrderRecord, GapRecord
from market.models import Instrument

log = structlog.get_logger(__name__)

# What was missed is looked at again, as far back as this.
CATCH_UP_S = 3600
# An open gap is waited for so long before the time behind it is looked at.
GAP_PATIENCE_S = 20


class WatchedMarket:
    """`clock` is the second up to which its alerts have seen everything."""

    def __init__(self, instrument: Instrument, rows: Iterable[Row], since: int, now: int) -> None:
        """`since` is where the evaluator before this one stood (epoch s), or 0."""
        self.instrument = instrument
        self.key = instrument.key
        self.rows = {row.pk: row for row in rows}
        self.path = told.page_of(instrument.key)
        first_alert = min(row.since_ms for row in self.rows.values()) // 1000
        start = min(now, max(since or first_alert, now - CATCH_UP_S))
        window = longest_window(row.rule(0) for row in self.rows.values())
        # a second more: the price before the first bar
        whole_from, bars = history.bars_before(instrument, start, window + 60)
        self._watch = MarketWatch(SETS[instrument.band_set], whole_from)
        for row in list(self.rows.values()):
            self._add(row, now)
        for end, bar in bars:
            self._watch.warm(bar, end)
        self._watch.warm(None, start)
        self.clock = start
        self._orders_seen: set[str] = set()

    @property
    def versions(self) -> dict[int, int]:
        return {pk: row.version for pk, row in self.rows.items()}

    @property
    def wants_orders(self) -> bool:
        return any(row.kind == "taker_order" for row in self.rows.values())

    def take(self, covered: int, bars: Mapping[int, Bar], gaps: Iterable[GapRecord]) -> None:
        """Everything up to `covered` (epoch s), and a glance at what runs now. Raises Behind when
        somebody else has moved one of its alerts."""
        gap = min(
            (gap for gap in gaps if gap.state == "open" and gap.to_ms >= self.clock * 1000),
            key=lambda gap: gap.from_ms,
            default=None,
        )
        end = covered if gap is None else min(covered, gap.from_ms // 1000)
        for second in range(self.clock, end):
            self._write(self._watch.feed(bars.get(second), second + 1))
            self.clock = second + 1
        if gap is None:
            for second in sorted(at for at in bars if at >= self.clock):
                self._write(self._watch.peek(bars[second]))
        elif covered - end > GAP_PATIENCE_S:
            behind = max(self.clock, gap.to_ms // 1000 + 1)
            log.info("alerts pass over a gap", tape=str(self.key), seconds=behind - self.clock)
            self._watch.skip(behind)
            self.clock = behind

    def take_orders(self, orders: Iterable[BigOrderRecord]) -> None:
        """The newest big orders; each is told once, by its own name."""
        fresh = [order for order in orders if order.slot not in self._orders_seen]
        for order in sorted(fresh, key=lambda order: order.t):
            for row in self.rows.values():
                if row.kind == "taker_order" and _is_wanted(row, order):
                    words = told.of_market(row, self.path, order.t, order.value, side=order.side)
                    firing.tell(row.pk, f"order:{order.slot}", words)
            self._orders_seen.add(order.slot)
        if len(self._orders_seen) > 5000:
            self._orders_seen = {order.slot for order in orders}

    def _add(self, row: Row, now: int) -> None:
        """Into the watch; what cannot be compared yet waits for the next reading."""
        if row.kind == "taker_order":
            return
        limit = None
        if row.kind == "cvd_quantile":
            limit = history.quantile_of(self.instrument, row.condition, now)
            if limit is None:
                return
        self._watch.add(row.rule(limit), row.state)

    def _write(self, changes: Iterable[Change]) -> None:
        for change in changes:
            row = self.rows[change.alert_id]
            state = change.step.state
            if change.step.is_fired:
                value = text(change.step.value, change.places)
                words = told.of_market(row, self.path, change.step.at_ms, value)
                version = firing.fire(row.pk, row.version, state, words)
            else:
                version = firing.move(row.pk, row.version, state)
            self.rows[row.pk] = replace(row, version=version, state=state)


def _is_wanted(row: Row, order: BigOrderRecord) -> bool:
    side = row.condition.get("side", order.side)
    return (
        order.t >= row.state.seen_ms
        and side == order.side
        and Decimal(order.value) >= Decimal(row.condition["value"])
    )
