"""What happens to an order on its way: answers that never come, that lie, that are late; names,
limits, halves. Over real sockets."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.conftest import RunningSimulator
from tests.simulator.conftest import Serve, get, post
from tests.simulator.signed import ALL, opened, signed

FAR = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "50000.0",
}
BOTH = {"permissions": {**ALL, "enableFutures": True}, "futures": {"USDT": "50000"}}


async def names(simulator: RunningSimulator, account: Any) -> list[str]:
    truth = await get(simulator, f"/simulator/accounts/{account['uid']}/truth")
    return [row["client_id"] for row in truth["orders"]]


async def place(simulator: RunningSimulator, account: Any, path: str, name: str) -> Any:
    key = "clientAlgoId" if "algo" in path else "newClientOrderId"
    more: dict[str, Any] = {key: name}
    if "algo" in path:
        more = {**more, "algoType": "CONDITIONAL", "triggerPrice": "50000.0", "side": "SELL"}
        more = {**FAR, **more, "type": "STOP_MARKET"}
        del more["price"]
        return await signed(simulator, account, "POST", path, **more)
    return await signed(simulator, account, "POST", path, **{**FAR, **more})


PATHS = ["/api/v3/order", "/fapi/v1/order", "/fapi/v1/algoOrder"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("when", "count"), [("before", 0), ("after", 1)])
async def test_a_status_hides_whether_the_order_was_taken(
    serve: Serve, path: str, when: str, count: int
) -> None:
    simulator = await serve()
    account = await opened(simulator, **BOTH)
    await post(simulator, "/simulator/faults/order", what="status", when=when, code=503, times=1)
    status, said = await place(simulator, account, path, "mine")
    assert (status, said["code"]) == (503, -1007)
    assert await names(simulator, account) == ["mine"] * count
    assert (await place(simulator, account, path, "next"))[0] == 200  # struck once


@pytest.mark.parametrize("what", ["cut", "hang"])
async def test_an_answer_that_never_comes(serve: Serve, what: str) -> None:
    simulator = await serve()
    account = await opened(simulator, **BOTH)
    await post(simulator, "/simulator/faults/order", what=what, path="/fapi/v1/order", times=1)
    with pytest.raises((aiohttp.ClientError, TimeoutError)):
        async with asyncio.timeout(1):
            await place(simulator, account, "/fapi/v1/order", "mine")
    assert await names(simulator, account) == ["mine"]


async def test_an_order_that_comes_late_is_refused_by_its_window(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator, **BOTH)
    await post(simulator, "/simulator/faults/order", what="delay", when="before", ms=300, times=1)
    order = {**FAR, "newClientOrderId": "late", "recvWindow": 100}
    status, said = await signed(simulator, account, "POST", "/fapi/v1/order", **order)
    assert (status, said["code"]) == (400, -1021)
    assert await names(simulator, account) == []


async def test_a_fault_of_another_method_or_path_strikes_nothing(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator, **BOTH)
    await post(simulator, "/simulator/faults/order", what="cut", method="DELETE", path="/fapi/*")
    assert (await place(simulator, account, "/fapi/v1/order", "a"))[0] == 200
    said = await post(simulator, "/simulator/faults/order", what="explode")
    assert "expected what of order as one of cut, delay, hang, status" in said["msg"]


async def test_every_order_counts_and_too_many_are_refused(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator, **BOTH)
    seen = []
    for number in range(101):  # two windows of fifty at most
        status, said = await place(simulator, account, "/api/v3/order", f"n{number}")
        if status != 200:
            seen.append((status, said["code"]))
            break
    assert seen == [(429, -1015)]


async def test_a_half_done_replacement_says_which_half(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator)
    _, placed = await place(simulator, account, "/api/v3/order", "old")
    wanted = {
        **FAR,
        "quantity": "100",
        "cancelReplaceMode": "STOP_ON_FAILURE",
        "cancelOrderId": placed["orderId"],
    }
    status, said = await signed(simulator, account, "POST", "/api/v3/order/cancelReplace", **wanted)
    assert (status, said["code"]) == (409, -2021)
    assert (said["data"]["cancelResult"], said["data"]["newOrderResult"]) == ("SUCCESS", "FAILURE")
    status, said = await signed(
        simulator, account, "POST", "/api/v3/order/cancelReplace", **{**wanted, "quantity": "0.01"}
    )
    assert (status, said["code"]) == (400, -2022)
    assert said["data"]["newOrderResult"] == "NOT_ATTEMPTED"


async def test_a_batch_answers_each_order(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator, **BOTH)
    rows = (
        '[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"0.01",'
        '"price":"50000.0","newClientOrderId":"one"},'
        '{"symbol":"BTCUSDT","side":"BUY","type":"STOP_MARKET","quantity":"0.01"}]'
    )
    status, said = await signed(
        simulator, account, "POST", "/fapi/v1/batchOrders", batchOrders=rows
    )
    assert status == 200
    assert (said[0]["clientOrderId"], said[1]["code"]) == ("one", -4120)
    status, said = await signed(
        simulator,
        account,
        "DELETE",
        "/fapi/v1/batchOrders",
        symbol="BTCUSDT",
        orderIdList=f"[{said[0]['orderId']},7]",
    )
    assert (said[0]["status"], said[1]["code"]) == ("CANCELED", -2011)


async def test_modes_are_changed_while_nothing_is_open(serve: Serve) -> None:
    simulator = await serve()
    account = await opened(simulator, **BOTH)

    async def change(path: str, **more: str) -> Any:
        _, said = await signed(simulator, account, "POST", f"/fapi/v1/{path}", **more)
        return said["code"]

    isolate = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
    assert await change("marginType", **isolate) == 200
    assert await change("marginType", **isolate) == -4046
    assert await change("positionSide/dual", dualSidePosition="true") == 200
    assert await change("positionSide/dual", dualSidePosition="true") == -4059
    order = {**FAR, "positionSide": "LONG"}
    assert (await signed(simulator, account, "POST", "/fapi/v1/order", **order))[0] == 200
    assert await change("marginType", symbol="BTCUSDT", marginType="CROSSED") == -4047
    assert await change("positionSide/dual", dualSidePosition="false") == -4067
    reduce = {**order, "reduceOnly": "true", "side": "SELL", "newClientOrderId": "x"}
    _, said = await signed(simulator, account, "POST", "/fapi/v1/order", **reduce)
    assert said["code"] == -1106


@pytest.mark.parametrize("name", ["x" * 37, "a b", "ü"])
async def test_a_name_that_is_none(serve: Serve, name: str) -> None:
    simulator = await serve()
    account = await opened(simulator)
    order = {**FAR, "newClientOrderId": name}
    _, said = await signed(simulator, account, "POST", "/api/v3/order", **order)
    assert said["code"] in {-1100, -1022}
