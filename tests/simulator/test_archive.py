"""The exchange's own archive: Binance Vision's layout, the same rows as REST, checksums that fit,
and what goes wrong on purpose."""

import csv
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulator.app import Options
from simulator.archive import wanted
from simulator.exchange import Exchange
from simulator.faults import Faults
from simulator.klines import DAY_US
from simulator.sources.walk import DAY_MS, DAYS, Walks
from tests.conftest import RunningSimulator
from tests.simulator.conftest import Serve, get, post

DAY = (datetime.now(UTC) - timedelta(days=20)).date()
HEADS = {"spot": "/api/v3", "futures/um": "/fapi/v1"}


@pytest.fixture
async def simulator(serve: Serve) -> AsyncIterator[RunningSimulator]:
    exchange = Exchange(Faults(), rest_lag_ms=50)
    for market in ("spot", "usdm"):
        exchange.list_generated("BTCUSDT", None, seed=7, pace=1.0, market=market)
    exchange.go_on_from(Walks(1, exchange.now() // DAY_US * DAY_MS - DAYS * DAY_MS))
    yield await serve(exchange, Options())


def path(kind: str, market: str = "spot", day: object = DAY, interval: str = "") -> str:
    folder = f"klines/BTCUSDT/{interval}" if interval else f"{kind}/BTCUSDT"
    return f"/data/{market}/daily/{folder}/BTCUSDT-{interval or kind}-{day}.zip"


async def fetch(simulator: RunningSimulator, path: str, method: str = "GET") -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{simulator.http}{path}") as answer,
    ):
        if method == "HEAD":
            return answer.status, answer.headers["Content-Length"].encode()
        return answer.status, await answer.read()


def unpacked(body: bytes) -> list[list[str]]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        [name] = archive.namelist()
        return list(csv.reader(io.StringIO(archive.read(name).decode())))


async def rows(simulator: RunningSimulator, path: str) -> list[list[str]]:
    status, body = await fetch(simulator, path)
    assert status == 200
    _, checksum = await fetch(simulator, f"{path}.CHECKSUM")
    assert checksum.decode().split() == [hashlib.sha256(body).hexdigest(), Path(path).name]
    _, length = await fetch(simulator, path, "HEAD")
    assert int(length) == len(body)
    return unpacked(body)


@pytest.mark.parametrize("market", ["spot", "futures/um"])
async def test_trades_and_aggregates_are_those_of_rest(
    simulator: RunningSimulator, market: str
) -> None:
    trades = await rows(simulator, path("trades", market))
    aggregates = await rows(simulator, path("aggTrades", market))
    if market == "futures/um":
        assert trades.pop(0)[:2] == ["id", "price"]
        assert aggregates.pop(0)[0] == "agg_trade_id"
    day_ms = int(datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC).timestamp() * 1000)
    scale = 1000 if market == "spot" else 1
    assert day_ms * scale <= int(trades[0][4]) <= int(trades[-1][4]) < (day_ms + DAY_MS) * scale
    assert [int(row[0]) for row in trades] == list(
        range(int(trades[0][0]), int(trades[0][0]) + len(trades))
    )
    assert (aggregates[0][3], aggregates[-1][4]) == (trades[0][0], trades[-1][0])
    headers = {"X-MBX-TIME-UNIT": "MICROSECOND", "X-MBX-APIKEY": "any"}
    query = {"symbol": "BTCUSDT", "fromId": trades[5_000][0], "limit": "500"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{simulator.http}{HEADS[market]}/historicalTrades", params=query) as answer,
    ):
        told = await answer.json()
    keys = ("id", "price", "qty", "quoteQty", "time", "isBuyerMaker")
    texts = [[str(item[key]) for key in keys] for item in told]
    if market == "spot":
        texts = [[*text, "True"] for text in texts]
        query = {"symbol": "BTCUSDT", "fromId": aggregates[700][0], "limit": "50"}
        found = await get(simulator, "/api/v3/aggTrades", **query)
        assert [[str(item[key]) for key in "apqfl"] for item in found] == [
            row[:5] for row in aggregates[700:750]
        ]
    else:
        texts = [[*text[:5], text[5].lower()] for text in texts]
    assert texts == trades[5_000:5_500]


@pytest.mark.parametrize("interval", ["1m", "1h", "1d"])
async def test_candles_are_those_of_rest(simulator: RunningSimulator, interval: str) -> None:
    day_ms = int(datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC).timestamp() * 1000)
    for market, head in HEADS.items():
        found = await rows(simulator, path("klines", market, interval=interval))
        if market == "futures/um":
            assert found.pop(0)[0] == "open_time"
        query = {"startTime": day_ms, "endTime": day_ms + DAY_MS - 1, "limit": 1000}
        told = await get(simulator, f"{head}/klines", symbol="BTCUSDT", interval=interval, **query)
        scale = 1000 if market == "spot" else 1
        for row, item in zip(found, told, strict=False):
            assert int(row[0]) == item[0] * scale
            assert row[1:6] + row[7:] == [str(value) for value in item[1:6] + item[7:]]
        assert len(found) == {"1m": 1440, "1h": 24, "1d": 1}[interval]


async def test_a_month_is_its_days(simulator: RunningSimulator) -> None:
    month = (datetime.now(UTC).date().replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    head = "/data/spot/monthly/klines/BTCUSDT/1d/BTCUSDT-1d"
    days = await rows(simulator, f"{head}-{month}.zip")
    first = await rows(simulator, path("klines", day=f"{month}-01", interval="1d"))
    assert len(days) >= 28
    assert days[0] == first[0]


@pytest.mark.parametrize(
    "wrong",
    [
        "data/spot/daily/trades/BTCUSDT/ETHUSDT-trades-2026-01-01.zip",
        "data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2026-02-30.zip",
        "data/spot/monthly/trades/BTCUSDT/BTCUSDT-trades-2026-01-01.zip",
        "data/spot/daily/klines/BTCUSDT/7m/BTCUSDT-7m-2026-01-01.zip",
        "data/spot/monthly/klines/BTCUSDT/1M/BTCUSDT-1M-2026-01.zip",
        "data/spot/daily/bookTicker/BTCUSDT/BTCUSDT-bookTicker-2026-01-01.zip",
        "data/spot/daily/trades/BTCUSDT/../BTCUSDT-trades-2026-01-01.zip",
    ],
)
def test_it_knows_no_other_names(wrong: str) -> None:
    assert _wanted(wrong) is None


def _wanted(text: str) -> Any:
    return wanted(text)


async def test_days_that_are_not_over_or_before_the_listing_are_not_there(
    simulator: RunningSimulator,
) -> None:
    today = datetime.now(UTC).date()
    for day in (today, today + timedelta(days=3), today - timedelta(days=DAYS + 1)):
        for missing in (path("trades", day=day), path("klines", day=day, interval="1m")):
            assert (await fetch(simulator, missing))[0] == 404
            assert (await fetch(simulator, f"{missing}.CHECKSUM"))[0] == 404
    assert (await fetch(simulator, path("trades").replace("BTCUSDT", "ETHUSDT")))[0] == 404
    month = f"/data/spot/monthly/trades/BTCUSDT/BTCUSDT-trades-{today:%Y-%m}.zip"
    assert (await fetch(simulator, month))[0] == 404


async def test_files_are_missing_damaged_or_have_a_wrong_checksum(
    simulator: RunningSimulator,
) -> None:
    name = path("aggTrades")
    _, whole = await fetch(simulator, name)
    digest = hashlib.sha256(whole).hexdigest()
    await post(
        simulator, "/simulator/faults/archive", path="*aggTrades*", what="missing", seconds=1
    )
    assert (await fetch(simulator, name))[0] == 404
    simulator.exchange.faults.active.clear()
    for what in ("damaged", "truncated"):
        await post(simulator, "/simulator/faults/archive", what=what, seconds=60)
        status, body = await fetch(simulator, name)
        assert (status, body == whole) == (200, False)
        assert digest in (await fetch(simulator, f"{name}.CHECKSUM"))[1].decode()
        with pytest.raises(zipfile.BadZipFile):
            unpacked(body)
        simulator.exchange.faults.active.clear()
    await post(simulator, "/simulator/faults/archive", what="checksum", seconds=60)
    assert digest not in (await fetch(simulator, f"{name}.CHECKSUM"))[1].decode()
    refused = await post(simulator, "/simulator/faults/archive", what="gone")
    assert "expected what of missing" in refused["msg"]


async def test_the_firewall_stands_before_the_archive_too(simulator: RunningSimulator) -> None:
    await post(simulator, "/simulator/faults/status", code=429, path="/data/*", retry_after=7)
    assert (await fetch(simulator, path("trades")))[0] == 429


async def test_a_quiet_day_and_a_young_listing(simulator: RunningSimulator) -> None:
    day_ms = int(datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC).timestamp() * 1000)
    query = {"symbol": "BTCUSDT", "startTime": day_ms, "endTime": day_ms + DAY_MS - 1}
    await post(simulator, "/simulator/faults/quiet_day", date=str(DAY), seconds=60)
    hours = await get(simulator, "/api/v3/klines", interval="1h", **query)
    assert [row[8] for row in hours] == [0] * 24
    assert {row[1] for row in hours} == {hours[0][4]}
    assert await get(simulator, "/api/v3/aggTrades", **query) == []
    assert await rows(simulator, path("trades")) == []
    simulator.exchange.faults.active.clear()
    await post(simulator, "/simulator/faults/listed_since", date=str(DAY), seconds=60)
    days = await get(simulator, "/api/v3/klines", symbol="BTCUSDT", interval="1d", startTime=0)
    assert days[0][0] == day_ms
    first = await get(simulator, "/api/v3/historicalTrades", symbol="BTCUSDT", fromId=0, limit=1)
    assert first[0]["time"] >= day_ms
    before = path("trades", day=DAY - timedelta(days=1))
    assert (await fetch(simulator, before))[0] == 404
    refused = await post(simulator, "/simulator/faults/listed_since", date="yesterday")
    assert "expected date as YYYY-MM-DD" in refused["msg"]


async def test_candles_with_holes(simulator: RunningSimulator) -> None:
    day_ms = int(datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC).timestamp() * 1000)
    query = {"symbol": "BTCUSDT", "interval": "1m", "startTime": day_ms, "limit": 70}
    await post(simulator, "/simulator/faults/kline_holes", interval="1m", every=7, seconds=60)
    minutes = [row[0] // 60_000 for row in await get(simulator, "/api/v3/klines", **query)]
    assert len(minutes) == 70
    assert all(minute % 7 for minute in minutes)
    assert minutes[-1] - minutes[0] in range(80, 83)
    assert len(await rows(simulator, path("klines", interval="1m"))) in range(1233, 1236)
