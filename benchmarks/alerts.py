"""What 10,000 alerts over 200 markets cost: the processor time of an evaluator's rounds, a round a
second, against tapes that trade in most seconds. Reference in the same run: the same pipeline to
Redis without looking at anything.

    make bench-alerts
"""

import argparse
import os
import random
import sys
import time
import uuid

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

import redis  # noqa: E402
from django.conf import settings  # noqa: E402

from accounts.models import User  # noqa: E402
from alerts.conditions.kinds import parse  # noqa: E402
from alerts.evaluation import hot  # noqa: E402
from alerts.evaluation.evaluator import Evaluator  # noqa: E402
from alerts.models import Alert, AlertEvent, WatchedUntil  # noqa: E402
from lib.dates import from_seconds  # noqa: E402
from lib.decimals import QUOTE_UNIT, UNIT  # noqa: E402
from market.flow.bands import bands_for  # noqa: E402
from market.flow.bars import Bar  # noqa: E402
from market.hot import keys  # noqa: E402
from market.hot.codec import bar_fields  # noqa: E402
from market.instruments import InstrumentKey  # noqa: E402
from market.models import Instrument  # noqa: E402

# A market trades in so many of its seconds.
TRADED = 0.8
FIRST_PRICE = 100.0


class Markets:
    """Prices that walk, written into Redis a second at a time."""

    def __init__(self, count: int, start: int) -> None:
        self.client = redis.Redis.from_url(settings.REDIS_URL)
        symbols = [f"BENCH{number}USDT" for number in range(count)]
        self.keys = [InstrumentKey(settings.VENUE, "spot", symbol) for symbol in symbols]
        self.prices = [FIRST_PRICE] * count
        self.random = random.Random(1)  # noqa: S311
        self.start = start

    def trade(self, second: int) -> None:
        with self.client.pipeline(transaction=False) as pipe:
            for at, key in enumerate(self.keys):
                if self.random.random() < TRADED:
                    bar = self._bar(at, second)
                    pipe.hset(keys.bar(key, "1s", second), mapping=bar_fields(bar))
                    pipe.zadd(keys.bars(key, "1s"), {str(second): second})
                pipe.hset(
                    keys.state(key),
                    mapping={
                        "last_id": 1,
                        "revision": 0,
                        "newest": second,
                        "covered_from": (self.start - 3600) * 1000,
                        "covered_to": (second + 1) * 1000,
                        "ticks": 1_000_000,
                        "sweep": "",
                        "hot_from": self.start - 3600,
                    },
                )
            pipe.execute()

    def _bar(self, at: int, second: int) -> Bar:
        before = self.prices[at]
        self.prices[at] = price = before * (1 + self.random.gauss(0, 0.0002))
        bar = Bar(second)
        bar.open, bar.close = round(before * UNIT), round(price * UNIT)
        bar.high, bar.low = max(bar.open, bar.close), min(bar.open, bar.close)
        bar.trades = 10
        bar.bid, bar.ask = bar.close - 1, bar.close + 1
        bar.quote_buy = self.random.randrange(50_000) * QUOTE_UNIT
        bar.quote_sell = self.random.randrange(50_000) * QUOTE_UNIT
        bar.trade[3], bar.trade[9] = bar.quote_buy, bar.quote_sell
        bar.order[3], bar.order[9] = bar.quote_buy, bar.quote_sell
        return bar

    def forget(self) -> None:
        for key in self.keys:
            names = list(self.client.scan_iter(f"tl:tape:{{{key}}}:*", count=10_000))
            if names:
                self.client.delete(*names)


def conditions(symbol: str, number: int) -> dict[str, object]:
    """As people have them: most are prices, many of them far away."""
    place = {"market": "spot", "symbol": symbol}
    window = (60, 300, 900, 3600)[number % 4]
    # mixed, so that levels near the price are among them
    kind = number * 3 % 10
    if kind < 6:
        level = f"{FIRST_PRICE * (0.9 + 0.2 * (number % 97) / 97):.4f}"
        return parse({"kind": "price_crosses", **place, "level": level})
    if kind < 8:
        return parse({"kind": "cvd_delta", **place, "window_s": window, "above": "5000000"})
    if kind == 8:
        return parse({"kind": "price_moves", **place, "window_s": window, "percent": "2"})
    return parse({"kind": "divergence", **place, "window_s": window, "percent": "1"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--markets", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    chosen = parser.parse_args()
    user = User.objects.create_user(f"bench-{uuid.uuid4().hex[:8]}", f"{uuid.uuid4()}@x.invalid")
    start = int(time.time()) - 600
    markets = Markets(chosen.markets, start)
    try:
        _make(user, markets, chosen.alerts, start)
        _measure(markets, start, chosen.seconds, chosen.alerts)
    finally:
        Alert.objects.filter(user=user).delete()
        AlertEvent.objects.filter(user=user).delete()
        user.delete()
        WatchedUntil.objects.filter(name__startswith="spot:BENCH").delete()
        Instrument.objects.filter(symbol__startswith="BENCH").delete()
        markets.forget()


def _make(user: User, markets: Markets, count: int, start: int) -> None:
    bands = bands_for("USDT").id
    Instrument.objects.bulk_create(
        Instrument(
            venue=key.venue,
            market=key.market,
            symbol=key.symbol,
            base_asset=key.symbol.removesuffix("USDT"),
            quote_asset="USDT",
            band_set=bands,
        )
        for key in markets.keys
    )
    rows = []
    for number in range(count):
        key = markets.keys[number % len(markets.keys)]
        condition = conditions(key.symbol, number // len(markets.keys))
        rows.append(
            Alert(
                user=user,
                name=f"bench {number}",
                condition=condition,
                kind=str(condition["kind"]),
                market="spot",
                symbol=key.symbol,
                cooldown_s=300,
                since=from_seconds(start),
            )
        )
    Alert.objects.bulk_create(rows, batch_size=2000)


def _measure(markets: Markets, start: int, seconds: int, alerts: int) -> None:
    evaluator = Evaluator("spot")
    markets.trade(start)
    print("opening the markets …", file=sys.stderr)
    began = time.process_time()
    evaluator.round()
    opened = time.process_time() - began
    warm_up = 10
    used = reading = 0.0
    for second in range(start + 1, start + 1 + seconds + warm_up):
        print(f"\rround {second - start} of {seconds + warm_up}", end="", file=sys.stderr)
        markets.trade(second)
        if second > start + warm_up:
            asks = [hot.Ask(key, second, False) for key in markets.keys]
            began = time.process_time()
            hot.read(markets.client, asks)
            reading += time.process_time() - began
        began = time.process_time()
        evaluator.round()
        if second > start + warm_up:
            used += time.process_time() - began
    print(file=sys.stderr)
    events = AlertEvent.objects.filter(name__startswith="bench ").count()
    print(f"{alerts:,} alerts over {len(markets.keys)} markets, {seconds} rounds of a second")
    print(f"  beginning            {opened:8.2f} s of one core, once")
    percent, round_ms, reading_ms = (
        100 * used / seconds,
        1000 * used / seconds,
        1000 * reading / seconds,
    )
    print(f"  a round              {round_ms:8.1f} ms: {percent:.1f} % of a core")
    print(f"  reference: reading   {reading_ms:8.1f} ms of it is Redis' pipeline alone")
    print(f"  events               {events:8,}")
    is_good = used / seconds < 0.05
    print(f"  below 5 % of a core: {'yes' if is_good else 'NO'}")


if __name__ == "__main__":
    main()
