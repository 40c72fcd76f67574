"""The adapter over python-binance, against the simulator."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from lib.secret import Secret
from market.binance.account import AccountRest
from market.binance.errors import BadKey, ClockDiffers, MustWait, Refused, TryAgain, UnknownOutcome
from market.binance.governor import Governor, Limit
from market.binance.signing import Addresses, Credentials, KeyKind
from market.hot import store
from tests.conftest import RunningSimulator, eventually, traded
from tests.simulator.conftest import get, post

TRADING = {"enableSpotAndMarginTrading": True}
ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


@asynccontextmanager
async def adapter(
    simulator: RunningSimulator, opened: Any, weight: int = 60_000, **more: Any
) -> AsyncIterator[AccountRest]:
    client = store.connect(settings.REDIS_URL)
    kind: KeyKind = opened.get("kind", "hmac")
    given = Credentials(kind, Secret(opened["apiKey"]), Secret(opened["secretKey"]))
    governors = {
        part: Governor(client, Limit(f"{simulator.http}/{part}", weight), 100)
        for part in ("api", "sapi", "fapi")
    }
    rest = AccountRest(Addresses(simulator.http, simulator.http), given, governors, **more)
    try:
        yield rest
    finally:
        await rest.aclose()
        await client.aclose()


async def opened(simulator: RunningSimulator, **more: Any) -> Any:
    asked = {"balances": {"USDT": "9000"}, "permissions": TRADING}
    account = await post(simulator, "/simulator/accounts", **{**asked, **more})
    await traded(simulator)
    return account


async def test_a_file_that_took_the_share_of_history_can_be_asked_for_in_the_same_minute(
    simulator: RunningSimulator,
) -> None:
    account = await opened(simulator, futures={"USDT": "100"})
    now_ms = int(time.time() * 1000)
    async with adapter(simulator, account, 1920, kind="backfill", patience=0.0) as rest:
        made = await rest.read(
            "/fapi/v1/income/asyn", startTime=now_ms - 86_400_000, endTime=now_ms
        )
        told = await rest.read("/fapi/v1/income/asyn/id", downloadId=made["downloadId"])
        assert told["status"] in {"processing", "completed"}


@pytest.mark.parametrize("kind", ["hmac", "rsa", "ed25519"])
async def test_it_signs_what_needs_encoding(simulator: RunningSimulator, kind: str) -> None:
    account = await opened(simulator, kind=kind)
    async with adapter(simulator, account) as rest:
        done = await rest.change("post", "/api/v3/order", **ORDER, newClientOrderId="a.b/c:d")
        found = await rest.read("/api/v3/order", symbol="BTCUSDT", origClientOrderId="a.b/c:d")
        assert found["orderId"] == done["orderId"]
        # no such order, or no such name, but signed right
        with pytest.raises(Refused) as refused:
            await rest.read("/api/v3/order", symbol="BTCUSDT", origClientOrderId="a b/c:d+é[]")
        assert refused.value.code in {-1100, -2013}


async def test_reads_are_tried_again_and_the_clock_is_measured_again(
    simulator: RunningSimulator,
) -> None:
    account = await opened(simulator)
    async with adapter(simulator, account) as rest:
        await rest.account()
        await post(
            simulator,
            "/simulator/faults/status",
            code=503,
            path="/api/v3/account",
            rate=0.5,
            seconds=30,
        )
        for _ in range(3):
            try:
                await rest.account()
            except TryAgain:
                break
        await post(simulator, "/simulator/faults/clock", ms=-40_000)
        await rest.permissions()  # -1021, then right
        assert rest.clock_offset_ms < -30_000
        asked = (await get(simulator, "/simulator/status"))["requests"]
        assert asked["/api/v3/time"] == 2


async def test_a_change_is_sent_once_and_its_outcome_may_be_unknown(
    simulator: RunningSimulator,
) -> None:
    account = await opened(simulator)
    async with adapter(simulator, account) as rest:
        await post(simulator, "/simulator/faults/executed", seconds=5)
        with pytest.raises(UnknownOutcome):
            await rest.change("post", "/api/v3/order", **ORDER, newClientOrderId="once")
        fills = await rest.read("/api/v3/myTrades", symbol="BTCUSDT")
        assert {fill["orderId"] for fill in fills} and len({f["orderId"] for f in fills}) == 1


async def test_answers_are_told_apart_by_what_to_do(simulator: RunningSimulator) -> None:
    account = await opened(simulator, permissions={})

    async def fails(call: Callable[[AccountRest], Awaitable[Any]], given: Any) -> Exception:
        async with adapter(simulator, given) as rest:
            with pytest.raises(Exception) as caught:  # noqa: PT011  (which one is the question)
                await call(rest)
            return caught.value

    order = lambda rest: rest.change("post", "/api/v3/order", **ORDER)  # noqa: E731
    account_of = lambda rest: rest.account()  # noqa: E731
    assert isinstance(await fails(order, account), BadKey)
    assert isinstance(await fails(account_of, {**account, "apiKey": "Z" * 64}), BadKey)
    assert isinstance(await fails(account_of, {**account, "secretKey": "no"}), BadKey)
    unknown = await fails(lambda rest: rest.read("/api/v3/myTrades", symbol="NOPE"), account)
    assert type(unknown) is Refused
    assert unknown.code == -1121
    with pytest.raises(ValueError, match="expected a private key in PEM"):
        async with adapter(simulator, {**account, "kind": "rsa", "secretKey": "-----x" * 40}):
            pass


async def test_the_governor_decides_whether_anybody_calls(simulator: RunningSimulator) -> None:
    account = await opened(simulator)
    # both within one minute, and none waits for the budget of the next one
    await eventually(lambda: time.time() % 60 < 55, 10, "the next minute")
    async with adapter(simulator, account, weight=30, patience=0.0) as rest:
        await rest.account()
        with pytest.raises(MustWait):
            await rest.account()
        asked = (await get(simulator, "/simulator/status"))["requests"]
        assert asked["/api/v3/account"] == 1


async def test_values_are_sent_as_binance_reads_them(simulator: RunningSimulator) -> None:
    account = await opened(simulator)
    async with adapter(simulator, account) as rest:
        await rest.change("post", "/api/v3/order", **{**ORDER, "quantity": Decimal("1E-2")})
        with pytest.raises(ValueError, match="expected text, an integer or a Decimal, was 0.01"):
            await rest.change("post", "/api/v3/order", **{**ORDER, "quantity": 0.01})
        with pytest.raises(ValueError, match="expected an endpoint with a known weight"):
            await rest.read("/sapi/v1/unheard/of")


async def test_a_change_refused_for_the_clock_is_right_the_next_time(
    simulator: RunningSimulator,
) -> None:
    account = await opened(simulator)
    async with adapter(simulator, account) as rest:
        await rest.account()
        await post(simulator, "/simulator/faults/clock", ms=-40_000)
        with pytest.raises(ClockDiffers):
            await rest.change("post", "/api/v3/order", **ORDER)
        done = await rest.change("post", "/api/v3/order", **ORDER)
        assert done["status"] == "FILLED"
