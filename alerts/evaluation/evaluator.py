"""All alerts over the bars of a share's markets, a round a second: one pipeline for all of them."""

import time
from collections.abc import Callable, Collection
from itertools import groupby

import redis
import structlog
from django.conf import settings
from django.db import Error as DatabaseError

from alerts.conditions.kinds import Scope
from alerts.evaluation import hot, rows
from alerts.evaluation.market import WatchedMarket
from alerts.evaluation.rows import Pair, Row
from alerts.models import WatchedUntil
from alerts.selectors import bars as history
from alerts.services.firing import Behind
from lib.parking import Parking
from market.hot.client import hot_client
from market.models import Instrument

log = structlog.get_logger(__name__)

# How often the table of alerts is looked at for changes, and where each market stands is saved.
LOOK_SECONDS = 2.0
SAVE_SECONDS = 5.0
# A market this far behind is read from both stores instead of from Redis alone.
FAR_BEHIND_S = 600
# Quantiles move: they are looked up again so often.
AGAIN_SECONDS = 3600.0


class Evaluator:
    def __init__(
        self,
        market: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`market` is spot or usdm."""
        self._market = market
        self._clock = clock
        self._markets: dict[Pair, WatchedMarket] = {}
        self._opened_at: dict[Pair, float] = {}
        self._versions: dict[int, int] = {}
        self._looked_at = self._saved_at = float("-inf")
        # markets of which an alert cannot be looked at
        self._parked = Parking()

    def round(self) -> int:
        """Look once at everything that is new. Returns how many markets were read."""
        if self._clock() - self._looked_at >= LOOK_SECONDS:
            self._look_for_changes()
            self._looked_at = self._clock()
        markets = list(self._markets.items())
        questions = [
            hot.Ask(market.key, market.clock, market.wants_orders) for _pair, market in markets
        ]
        for (pair, market), news in zip(markets, hot.read(hot_client(), questions), strict=True):
            if news is not None:
                self._take(pair, market, news)
        if self._clock() - self._saved_at >= SAVE_SECONDS:
            self.save()
        return len(markets)

    def save(self) -> None:
        """Where each market stands, so that another evaluator goes on from there."""
        self._saved_at = self._clock()
        WatchedUntil.objects.bulk_create(
            [
                WatchedUntil(name=_name(pair), until_ms=market.clock * 1000)
                for pair, market in sorted(self._markets.items())
            ],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["until_ms", "updated_at"],
        )

    # --- which alerts ---------------------------------------------------------------------------

    def _look_for_changes(self) -> None:
        """Alerts that were made, changed, paused or removed: their markets are opened anew, from
        where they stand."""
        known = rows.versions(Scope.BARS, self._market)
        mine = {pk: row for market in self._markets.values() for pk, row in market.rows.items()}
        gone = {pk for pk, version in self._versions.items() if pk not in known}
        changed = {
            pk
            for pk, version in known.items()
            if self._versions.get(pk) != version and (pk not in mine or mine[pk].version != version)
        }
        stale = {pair for pair, at in self._opened_at.items() if self._is_old(pair, at)}
        self._versions = known
        if not gone and not changed and not stale:
            return
        fresh = {row.pair for row in rows.of_alerts(changed)}
        self._open(fresh | stale | {mine[pk].pair for pk in gone | changed if pk in mine})

    def _is_old(self, pair: Pair, opened_at: float) -> bool:
        has_quantile = any(row.kind == "cvd_quantile" for row in self._markets[pair].rows.values())
        return has_quantile and self._clock() - opened_at > AGAIN_SECONDS

    def _open(self, pairs: Collection[Pair]) -> None:
        """With all of their alerts as they are in the table now. Raises DatabaseError."""
        standing = {pair: self._markets[pair].clock for pair in pairs if pair in self._markets}
        if standing:
            self.save()
        read = sorted(rows.of_pairs(Scope.BARS, pairs), key=lambda row: row.pair)
        saved = dict(
            WatchedUntil.objects.filter(name__in=[_name(pair) for pair in pairs]).values_list(
                "name", "until_ms"
            )
        )
        by_pair = {pair: list(group) for pair, group in groupby(read, lambda row: row.pair)}
        for pair in pairs:
            since = standing.get(pair, saved.get(_name(pair), 0) // 1000)
            self._close(pair)
            if pair in by_pair:
                self._open_one(pair, by_pair[pair], since)

    def _open_one(self, pair: Pair, its_rows: list[Row], since: int) -> None:
        instrument = Instrument.objects.filter(
            venue=settings.VENUE, market=pair[0], symbol=pair[1]
        ).first()
        news = None
        if instrument is not None:
            news = hot.read(hot_client(), [hot.Ask(instrument.key, 2**40, False)])[0]
        if instrument is None or news is None:  # not followed yet: at the next look
            for row in its_rows:
                self._versions.pop(row.pk, None)
            return
        self._markets[pair] = WatchedMarket(instrument, its_rows, since, news.covered)
        self._opened_at[pair] = self._clock()

    def _close(self, pair: Pair) -> None:
        market = self._markets.pop(pair, None)
        self._opened_at.pop(pair, None)
        for pk in market.rows if market is not None else ():
            self._versions.pop(pk, None)

    # --- a market's news ------------------------------------------------------------------------

    def _take(self, pair: Pair, market: WatchedMarket, news: hot.News) -> None:
        """One market's trouble is not the others'; what it has not written it looks at again."""
        name = _name(pair)
        if self._parked.is_parked(name):
            return
        try:
            self._feed(market, news)
        except Behind:
            self._open([pair])
        except (redis.RedisError, DatabaseError):
            self._forget(pair)
            raise
        except Exception:
            pause = self._parked.park(name)
            log.exception("alerts of a market set aside", market=name, again_in=pause)
            self._forget(pair)
        else:
            self._parked.clear(name)

    def _feed(self, market: WatchedMarket, news: hot.News) -> None:
        if news.covered + FAR_BEHIND_S < market.clock:
            raise Behind  # the tape begins anew
        if news.covered - market.clock > FAR_BEHIND_S:
            end = market.clock + FAR_BEHIND_S
            missed = history.missed(market.instrument, market.clock, end)
            market.take(end, missed, news.gaps)
            return
        market.take(news.covered, news.bars, news.gaps)
        if market.wants_orders:
            market.take_orders(news.orders)

    def _forget(self, pair: Pair) -> None:
        """It is opened anew at the next look, from where it was saved and written."""
        self._close(pair)
        self._looked_at = float("-inf")


def _name(pair: Pair) -> str:
    return ":".join(pair)
