"""Reading: a year of one symbol, and the last hour for fifty clients.

  make bench-read

(a) the SELECT alone that a year at `interval=auto` needs, rows thrown away; (b) the same year
through `read_span` and the API's answer; (c) `GET /api/cvd/realtime?minutes=60` of the web
processes that `make run` starts, with one client and with 50, each once a second.
"""

import asyncio
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import aiohttp
import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.update(BINANCE="simulator", LOG_LEVEL="error", RATE_READ="1000000")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.services.tokens import issue_token  # noqa: E402
from lib.dates import INTERVALS, from_seconds  # noqa: E402
from market.api.answers import cvd_answer  # noqa: E402
from market.api.parameters import grain_for  # noqa: E402
from market.archive.rollups import DAY, HOUR, MINUTE, TABLES  # noqa: E402
from market.archive.seconds import ALL  # noqa: E402
from market.flow.bars import Bar  # noqa: E402
from market.hot import keys  # noqa: E402
from market.hot.client import hot_client  # noqa: E402
from market.hot.codec import State, bar_fields  # noqa: E402
from market.instruments import InstrumentKey  # noqa: E402
from market.models import Instrument, TapeState  # noqa: E402
from market.selectors.reading import read_span  # noqa: E402
from market.services.following import follow  # noqa: E402

KEY = InstrumentKey("simulator", "spot", "READUSDT")
YEAR = 365 * DAY
ROUNDS = 7
CLIENTS, SECONDS = 50, 10.0


def fill_year(instrument: Instrument, end: int) -> None:
    """A year of minutes, hours and days as rows, in SQL; the figures do not matter."""
    bands = " ".join(["123456789012345678901"] * 12 + ["17"] * 6)
    for size, table in TABLES.items():
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {table}")
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(ALL)}) "  # noqa: S608
                "SELECT %s, t, 95000.1, 95100.2, 94900.3, 95050.4, 800, n * 800, n * 800 + 799, "
                "12.34567891, 11.23456789, 1172838.4567891234, 1067283.9876543219, -50000.5, "
                "60000.6, 95050.3, 95050.4, %s, %s, 'usd-1', 1 "
                "FROM generate_series(%s::timestamptz, %s::timestamptz, make_interval(secs => %s)) "
                "WITH ORDINALITY AS g (t, n)",
                [
                    instrument.pk,
                    bands,
                    bands,
                    from_seconds(end - YEAR),
                    from_seconds(end - size),
                    size,
                ],
            )
            cursor.execute(f"ANALYZE {table}")
    TapeState.objects.update_or_create(
        instrument=instrument,
        defaults={
            "last_id": 1,
            "revision": 1,
            "newest": end,
            "covered_from": (end - YEAR) * 1000,
            "covered_to": end * 1000,
            "ticks": 1_000_000,
            "sweep": "",
        },
    )


def fill_hour(end: int) -> None:
    """The last hour's minutes in Redis."""
    client = hot_client()
    state = State(1, 1, end, (end - YEAR) * 1000, end * 1000, 1_000_000, None, end - 3600)
    client.hset(keys.state(KEY), mapping=state.fields())
    for at in range(end - 3600, end, 60):
        bar = Bar(at)
        bar.open = bar.high = bar.low = bar.close = 95_000 * 10**8
        bar.trades, bar.first_id, bar.last_id = 800, at, at + 799
        bar.trade = bar.order = [123456789012345678901] * 12 + [17] * 6
        client.hset(keys.bar(KEY, "1m", at), mapping=bar_fields(bar))
        client.zadd(keys.bars(KEY, "1m"), {str(at): at})


def best_ms(work: Callable[[], object]) -> tuple[float, float]:
    """Median and worst of the rounds."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took), max(took)


def read_year(instrument: Instrument, end: int) -> None:
    interval = grain_for("auto", YEAR * 1000)
    size = DAY if INTERVALS[interval] % DAY == 0 else HOUR

    def select() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {', '.join(ALL)} FROM {TABLES[size]} "  # noqa: S608
                "WHERE instrument_id = %s AND time >= %s AND time < %s ORDER BY time",
                [instrument.pk, from_seconds(end - YEAR), from_seconds(end)],
            )
            cursor.fetchall()

    def answer() -> None:
        span = read_span(instrument, interval, (end - YEAR) * 1000, end * 1000)
        body = cvd_answer(instrument, interval, "trade", span, [])
        assert len(body["bars"]) > 300  # type: ignore[arg-type]

    alone, _ = best_ms(select)
    whole, worst = best_ms(answer)
    print(
        f"a year, auto = {interval}: (a) SELECT alone {alone:.1f} ms, "
        f"(b) the whole answer {whole:.1f} ms (worst {worst:.1f}), b / a {whole / alone:.1f}"
    )


async def ask(url: str, token: str, clients: int) -> list[float]:
    took: list[float] = []
    headers = {"Authorization": f"Token {token}"}
    ends = time.monotonic() + SECONDS

    async def one(session: aiohttp.ClientSession) -> None:
        await asyncio.sleep(random.random())  # pages do not ask all at once
        while time.monotonic() < ends:
            began = time.perf_counter()
            async with session.get(url) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()
            took.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(1.0)  # a page asks now and then, not all the time

    async with aiohttp.ClientSession(headers=headers) as session:
        await asyncio.gather(*(one(session) for _ in range(clients)))
    return took


def read_hour(token: str) -> None:
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    port, fd = listening.getsockname()[1], listening.fileno()
    web = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "launcher.web", "--fd", str(fd)], pass_fds=[fd]
        )
        for _ in range(settings.WEB_PROCESSES)
    ]
    try:
        time.sleep(4)
        asyncio.run(ask(f"http://127.0.0.1:{port}/healthz", token, 5))  # warm
        url = f"http://127.0.0.1:{port}/api/cvd/realtime?symbol={KEY.symbol}&minutes=60"
        for clients in (1, CLIENTS):
            cuts = statistics.quantiles(asyncio.run(ask(url, token, clients)), n=100)
            print(
                f"(c) realtime, {clients} clients once a second: p50 {cuts[49]:.1f}, "
                f"p95 {cuts[94]:.1f}, p99 {cuts[98]:.1f} ms"
            )
    finally:
        for process in web:
            process.terminate()
            process.wait(10)
        listening.close()


def main() -> int:
    call_command("migrate", verbosity=0)
    user, _ = User.objects.get_or_create(username="bench", email="bench@tapelog.invalid")
    instrument = follow(key=KEY)
    end = int(time.time()) // HOUR * HOUR
    fill_year(instrument, end)
    fill_hour(int(time.time()) // MINUTE * MINUTE)
    assert settings.VENUE == "simulator"
    hot_client().delete(keys.state(KEY))  # the year is PostgreSQL's alone
    read_year(instrument, end)
    fill_hour(int(time.time()) // MINUTE * MINUTE)
    read_hour(issue_token(user=user))
    return 0


if __name__ == "__main__":
    sys.exit(main())
