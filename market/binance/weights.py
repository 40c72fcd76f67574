"""What each request of the account side costs of the exchange's budgets."""

from collections.abc import Mapping

# path -> weight; the endpoints of the account side that we read (binance.md 2.2, 3.3, 5.3)
WEIGHTS = {
    "/api/v3/account": 20,
    "/api/v3/openOrders": 80,
    "/api/v3/myTrades": 20,
    "/api/v3/order": 4,
    "/api/v3/allOrders": 20,
    "/api/v3/time": 1,
    "/api/v3/ticker/price": 4,
    "/fapi/v3/account": 5,
    "/fapi/v3/positionRisk": 5,
    "/fapi/v1/userTrades": 5,
    "/fapi/v1/income": 30,
    "/fapi/v1/openOrders": 40,
    "/fapi/v3/balance": 5,
    "/sapi/v1/account/apiRestrictions": 1,
    "/fapi/v1/allOrders": 5,
    "/fapi/v1/openAlgoOrders": 40,
    "/fapi/v1/allAlgoOrders": 5,
    "/fapi/v1/algoOrder": 1,
    "/api/v3/allOrderList": 20,
    "/api/v3/openOrderList": 6,
    "/fapi/v1/symbolConfig": 5,
    "/fapi/v1/listenKey": 1,
    "/fapi/v1/trade/asyn": 1000,
    "/fapi/v1/trade/asyn/id": 10,
    "/fapi/v1/income/asyn": 1000,
    "/fapi/v1/income/asyn/id": 10,
    "/fapi/v1/premiumIndex": 10,
    "/api/v3/klines": 2,
    "/fapi/v1/klines": 5,
    "/fapi/v1/order": 1,
    "/fapi/v1/exchangeInfo": 1,
    "/api/v3/exchangeInfo": 20,
    "/sapi/v1/capital/deposit/hisrec": 1,
    "/sapi/v1/capital/withdraw/history": 1,
    "/sapi/v1/asset/dribblet": 1,
    "/sapi/v1/convert/tradeFlow": 1,
    "/sapi/v1/asset/assetDividend": 10,
    "/sapi/v1/asset/transfer": 1,
    "/sapi/v1/asset/get-funding-asset": 1,
    "/sapi/v1/simple-earn/flexible/position": 150,
    "/sapi/v1/simple-earn/locked/position": 150,
}
# path -> what it takes of the account's own budget of 180,000 a minute
UID_WEIGHTS = {"/sapi/v1/capital/withdraw/history": 18_000, "/sapi/v1/convert/tradeFlow": 3000}


def weight_of(method: str, path: str, params: Mapping[str, object]) -> int:
    """Raises ValueError for an endpoint whose weight nobody has written down."""
    if path == "/api/v3/openOrders" and (method == "delete" or "symbol" in params):
        return 1 if method == "delete" else 6
    if path in {"/fapi/v1/openOrders", "/fapi/v1/premiumIndex"} and "symbol" in params:
        return 1
    if method != "get":
        return 1
    if path not in WEIGHTS:
        raise ValueError(f"expected an endpoint with a known weight, was {path}")
    return WEIGHTS[path]
