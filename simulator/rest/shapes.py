"""Rows of REST answers, in the words of spot (`/api/v3`) and of futures (`/fapi/v1`)."""

from simulator.amounts import UNIT, product_text, ratio_text, to_text
from simulator.klines import quote_text
from simulator.listing import SPOT, Listing
from simulator.symbol import Symbol
from simulator.tape import AggTrade, Trade
from simulator.windows import Statistic

Body = dict[str, object]


def trade(rules: Listing, item: Trade, scale: int) -> Body:
    body: Body = {
        "id": item.id,
        "price": rules.price_text(item.price),
        "qty": rules.quantity_text(item.quantity),
        "quoteQty": product_text(item.price, item.quantity),
        "time": item.time // scale,
        "isBuyerMaker": item.is_buyer_maker,
    }
    return {**body, "isBestMatch": True} if rules.market == SPOT else {**body, "isRPITrade": False}


def aggregate(rules: Listing, item: AggTrade, scale: int) -> Body:
    quantity = rules.quantity_text(item.quantity)
    body: Body = {
        "a": item.id,
        "p": rules.price_text(item.price),
        "q": quantity,
        "f": item.first_id,
        "l": item.last_id,
        "T": item.time // scale,
        "m": item.is_buyer_maker,
    }
    return {**body, "M": True} if rules.market == SPOT else {**body, "nq": quantity}


def day(symbol: Symbol, statistic: Statistic | None, now: int, scale: int, kind: str) -> Body:
    """`ticker/24hr` (kind FULL or MINI) and the rolling windows."""
    rules = symbol.rules
    price, quantity = rules.price_text, rules.quantity_text
    if statistic is None:
        return _empty_day(symbol, now, scale)
    sums: Body = {
        "openPrice": price(statistic.first.price),
        "highPrice": price(statistic.high),
        "lowPrice": price(statistic.low),
        "lastPrice": price(statistic.last.price),
        "volume": quantity(statistic.base),
        "quoteVolume": quote_text(statistic.quote),
        "openTime": statistic.open_time // scale,
        "closeTime": statistic.close_time // scale,
        "firstId": statistic.first.id,
        "lastId": statistic.last.id,
        "count": statistic.trades,
    }
    if kind == "MINI":
        return {"symbol": rules.symbol, **sums}
    moved = statistic.last.price - statistic.first.price
    change: Body = {
        "priceChange": ("-" if moved < 0 else "") + price(abs(moved)),
        "priceChangePercent": ratio_text(moved * 100, statistic.first.price, 3),
        "weightedAvgPrice": ratio_text(statistic.quote, statistic.base * UNIT, 8),
    }
    if kind == "ROLLING":
        return {"symbol": rules.symbol, **change, **sums}
    last: Body = {"lastQty": quantity(statistic.last.quantity)}
    if rules.market != SPOT:
        return {"symbol": rules.symbol, **change, **last, **sums}
    bid, bid_size, ask, ask_size = symbol.source.book.best()
    book: Body = {
        "bidPrice": price(bid),
        "bidQty": quantity(bid_size),
        "askPrice": price(ask),
        "askQty": quantity(ask_size),
        "prevClosePrice": price((statistic.before or statistic.first).price),
    }
    return {"symbol": rules.symbol, **change, **last, **book, **sums}


def best(symbol: Symbol, now: int) -> Body:
    rules = symbol.rules
    bid, bid_size, ask, ask_size = symbol.source.book.best()
    body: Body = {
        "symbol": rules.symbol,
        "bidPrice": rules.price_text(bid),
        "bidQty": rules.quantity_text(bid_size),
        "askPrice": rules.price_text(ask),
        "askQty": rules.quantity_text(ask_size),
    }
    if rules.market == SPOT:
        return body
    return {**body, "time": now // 1000, "lastUpdateId": symbol.source.book.update_id}


def limit(kind: str, interval: str, number: int, most: int) -> Body:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": most}


def spot_info(rules: Listing) -> Body:
    lots = {"minQty": to_text(rules.step), "maxQty": "9000000.00000000"}
    return {
        "symbol": rules.symbol,
        "status": "TRADING",
        "baseAsset": rules.base,
        "baseAssetPrecision": 8,
        "quoteAsset": rules.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [
            "LIMIT",
            "LIMIT_MAKER",
            "MARKET",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
            "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": to_text(rules.tick),
                "maxPrice": "1000000.00000000",
                "tickSize": to_text(rules.tick),
            },
            {"filterType": "LOT_SIZE", **lots, "stepSize": to_text(rules.step)},
            {"filterType": "ICEBERG_PARTS", "limit": 100},
            {
                "filterType": "MARKET_LOT_SIZE",
                "minQty": "0.00000000",
                "maxQty": "100000.00000000",
                "stepSize": "0.00000000",
            },
            {
                "filterType": "PERCENT_PRICE_BY_SIDE",
                "bidMultiplierUp": "5",
                "bidMultiplierDown": "0.2",
                "askMultiplierUp": "5",
                "askMultiplierDown": "0.2",
                "avgPriceMins": 5,
            },
            {
                "filterType": "NOTIONAL",
                "minNotional": "5.00000000",
                "applyMinToMarket": True,
                "maxNotional": "9000000.00000000",
                "applyMaxToMarket": False,
                "avgPriceMins": 5,
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def usdm_info(rules: Listing) -> Body:
    tick, step = rules.price_text(rules.tick), rules.quantity_text(rules.step)
    return {
        "symbol": rules.symbol,
        "pair": rules.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_569_398_400_000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": rules.base,
        "quoteAsset": rules.quote,
        "marginAsset": rules.quote,
        "pricePrecision": rules.price_places,
        "quantityPrecision": rules.quantity_places,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": ["PoW"],
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "maxMoveOrderLimit": 10_000,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "4529764",
                "tickSize": tick,
            },
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "1000", "stepSize": step},
            {"filterType": "MARKET_LOT_SIZE", "minQty": step, "maxQty": "120", "stepSize": step},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": "5"},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
        "orderTypes": [
            "LIMIT",
            "MARKET",
            "STOP",
            "STOP_MARKET",
            "TAKE_PROFIT",
            "TAKE_PROFIT_MARKET",
            "TRAILING_STOP_MARKET",
        ],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
    }


def _empty_day(symbol: Symbol, now: int, scale: int) -> Body:
    zero = symbol.rules.price_text(0)
    names = (
        "priceChange",
        "priceChangePercent",
        "weightedAvgPrice",
        "lastPrice",
        "lastQty",
        "openPrice",
        "highPrice",
        "lowPrice",
        "volume",
        "quoteVolume",
    )
    return {
        "symbol": symbol.rules.symbol,
        **dict.fromkeys(names, zero),
        "openTime": (now - 86_400_000_000) // scale,
        "closeTime": now // scale,
        "firstId": -1,
        "lastId": -1,
        "count": 0,
    }
