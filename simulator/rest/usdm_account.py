"""`/fapi` for the owner of an account. Source: developers.binance.com, USD-M futures (2026-05-28),
and the docstrings of binance-sdk-derivatives-trading-usds-futures 18."""

import asyncio
from functools import partial

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.futures import LEVERAGE
from simulator.accounts.records import USDM, Account, Fill, Order, Position
from simulator.accounts.refusals import Refusal
from simulator.amounts import UNIT, to_text
from simulator.listen_keys import ListenKeys
from simulator.rest import orders
from simulator.rest.shapes import Body
from simulator.rest.signed import Asked, Door

FUTURES = "enableFutures"
DAY_MS = 86_400_000
KEPT_MS = 90 * DAY_MS


class UsdmAccountRest:
    def __init__(self, bank: Bank, door: Door, listen_keys: ListenKeys) -> None:
        self.bank = bank
        self.door = door
        self.listen_keys = listen_keys

    def routes(self) -> list[web.RouteDef]:
        use = partial(self.door.signed, permission=FUTURES)
        found = [
            web.get("/fapi/v1/userTrades", use(self.user_trades)),
            web.get("/fapi/v1/income", use(self.income)),
            web.get("/fapi/v1/openOrders", use(self.open_orders)),
            web.get("/fapi/v1/openAlgoOrders", use(_nothing)),
            web.get("/fapi/v1/allAlgoOrders", use(_nothing)),
            web.get("/fapi/v1/allOrders", use(self.all_orders)),
            web.get("/fapi/v1/order", use(self.order)),
            web.get("/fapi/v1/openOrder", use(self.order)),
            web.post("/fapi/v1/order", use(self.place)),
            web.put("/fapi/v1/order", use(self.modify)),
            web.delete("/fapi/v1/order", use(self.cancel)),
            web.delete("/fapi/v1/allOpenOrders", use(self.cancel_all)),
            web.post("/fapi/v1/leverage", use(self.set_leverage)),
            web.post("/fapi/v1/marginType", use(self.set_margin_type)),
            web.get("/fapi/v1/positionSide/dual", use(self.mode)),
            web.post("/fapi/v1/positionSide/dual", use(self.set_mode)),
            web.get("/fapi/v1/multiAssetsMargin", use(self.multi_assets)),
            web.get("/fapi/v1/symbolConfig", use(self.symbol_config)),
            web.get("/fapi/v1/accountConfig", use(self.account_config)),
            web.get("/fapi/v1/commissionRate", use(self.commission)),
            web.get("/fapi/v1/leverageBracket", use(self.brackets)),
            web.post("/fapi/v1/listenKey", self.door.keyed(self.start_stream, FUTURES)),
            web.put("/fapi/v1/listenKey", self.door.keyed(self.extend_stream, FUTURES)),
            web.delete("/fapi/v1/listenKey", self.door.keyed(self.end_stream, FUTURES)),
        ]
        for version in ("v2", "v3"):
            found += [
                web.get(f"/fapi/{version}/account", use(self.account)),
                web.get(f"/fapi/{version}/balance", use(self.balance)),
                web.get(f"/fapi/{version}/positionRisk", use(self.positions)),
            ]
        return found

    # --- what is held ---------------------------------------------------------------------------

    def account(self, asked: Asked) -> web.Response:
        account = asked.account
        rows = [self._position(account, p) for p in account.positions.values() if p.amount]
        profit = sum(self._unrealized(p) for p in account.positions.values())
        wallet = account.wallet.get("USDT", 0)
        margin = sum(self._margin(account, p) for p in account.positions.values())
        sums = {
            "totalInitialMargin": to_text(margin),
            "totalMaintMargin": to_text(margin // 2),
            "totalWalletBalance": to_text(wallet),
            "totalUnrealizedProfit": to_text(profit),
            "totalMarginBalance": to_text(wallet + profit),
            "totalPositionInitialMargin": to_text(margin),
            "totalOpenOrderInitialMargin": "0",
            "totalCrossWalletBalance": to_text(wallet),
            "totalCrossUnPnl": to_text(profit),
            "availableBalance": to_text(max(0, wallet + profit - margin)),
            "maxWithdrawAmount": to_text(max(0, wallet - margin)),
        }
        return web.json_response(
            {
                "feeTier": 0,
                "canTrade": True,
                "canDeposit": True,
                "canWithdraw": True,
                "multiAssetsMargin": False,
                "updateTime": account.updated,
                **sums,
                "assets": [self._asset(account, name) for name in account.wallet],
                "positions": rows,
            }
        )

    def balance(self, asked: Asked) -> web.Response:
        return web.json_response(
            [
                {
                    "accountAlias": "SgsR",
                    "balance": to_text(amount),
                    **self._asset(asked.account, name),
                }
                for name, amount in asked.account.wallet.items()
            ]
        )

    def positions(self, asked: Asked) -> web.Response:
        symbol = asked.params.get("symbol")
        return web.json_response(
            [
                self._position(asked.account, position)
                for position in asked.account.positions.values()
                if position.amount and symbol in {None, position.symbol}
            ]
        )

    # --- what happened --------------------------------------------------------------------------

    def user_trades(self, asked: Asked) -> web.Response:
        """A window of at most seven days, of the last three months."""
        symbol = asked.text("symbol")
        self.bank.listed(USDM, symbol)
        from_id = asked.integer("fromId")
        start, end = self._window(asked) if from_id is None else (0, 2**62)
        oldest = self.bank.now_ms() - KEPT_MS
        found = [
            fill
            for fill in asked.account.fills
            if fill.market == USDM
            and fill.symbol == symbol
            and not fill.is_forgotten
            and (from_id is None or fill.id >= from_id)
            and max(start, oldest) <= fill.time <= end
        ]
        found.sort(key=lambda fill: fill.id)
        wanted = asked.count()
        forward = from_id is not None or "startTime" in asked.params
        chosen = found[:wanted] if forward else found[-wanted:]
        return web.json_response([_trade(fill) for fill in chosen])

    def income(self, asked: Asked) -> web.Response:
        """Three months, oldest first; no pages any more."""
        start, end = asked.moment_ms("startTime"), asked.moment_ms("endTime")
        now = self.bank.now_ms()
        end = now if end is None else end
        start = end - 7 * DAY_MS if start is None else start
        start = max(start, now - KEPT_MS)
        symbol, kind = asked.params.get("symbol"), asked.params.get("incomeType")
        found = [
            item
            for item in asked.account.movements
            if item.kind == "income"
            and start <= item.time <= end
            and symbol in {None, item.details["symbol"]}
            and kind in {None, item.details["incomeType"]}
        ]
        found.sort(key=lambda item: (item.time, item.id))
        return web.json_response(
            [
                {
                    "symbol": item.details["symbol"],
                    "incomeType": item.details["incomeType"],
                    "income": to_text(item.amount),
                    "asset": item.asset,
                    "info": item.details["info"],
                    "time": item.time,
                    "tranId": item.id,
                    "tradeId": item.details["tradeId"],
                }
                for item in found[: asked.count(100)]
            ]
        )

    # --- orders ---------------------------------------------------------------------------------

    def open_orders(self, asked: Asked) -> web.Response:
        symbol = asked.params.get("symbol")
        found = asked.account.open_orders(USDM)
        return web.json_response([order_body(o) for o in found if symbol in {None, o.symbol}])

    def all_orders(self, asked: Asked) -> web.Response:
        symbol = asked.params.get("symbol")
        start, end = self._window(asked)
        first = asked.integer("orderId") or 0
        found = [
            order
            for order in asked.account.orders.values()
            if order.market == USDM
            and symbol in {None, order.symbol}
            and order.id >= first
            and start <= order.time <= end
        ]
        return web.json_response([order_body(order) for order in found[: asked.count()]])

    def order(self, asked: Asked) -> web.Response:
        return web.json_response(order_body(orders.find_order(asked, self.bank, USDM)))

    async def place(self, asked: Asked) -> web.Response:
        self.door.count_order(asked.account, USDM)
        account, order = orders.place(asked, self.bank, USDM)
        for _ in range(100):
            if order.type != "MARKET" or not order.is_open:
                break
            await asyncio.sleep(0.01)
        broken = self.bank.faults.answer_after_execution()
        if broken:
            return web.json_response(
                {
                    "code": -1007,
                    "msg": "Unknown error, please check your request or try again later.",
                },
                status=broken,
            )
        body = order_body(order)
        if asked.params.get("newOrderRespType", "ACK") == "ACK":
            body |= {"status": "NEW", "executedQty": "0.00000000"}
            body = {k: v for k, v in body.items() if k not in {"avgPrice", "cumQuote"}}
        return web.json_response(body)

    def modify(self, asked: Asked) -> web.Response:
        """LIMIT only; loses its place; a quantity that is filled already cancels it."""
        order = orders.find_order(asked, self.bank, USDM)
        if order.type != "LIMIT" or not order.is_open:
            raise Refusal(-2013, "Order does not exist.")
        quantity, price = asked.amount("quantity"), asked.amount("price")
        if quantity <= order.executed:
            self.bank.cancel(asked.account, order)
            return web.json_response(order_body(order))
        order.amends.append((self.bank.now_ms(), order.quantity, quantity, order.client_id))
        self.bank.cancel(asked.account, order)
        order.status = "PARTIALLY_FILLED" if order.executed else "NEW"
        order.quantity, order.price = quantity, price or order.price
        self.bank.renew(asked.account, order)
        return web.json_response(order_body(order))

    def cancel(self, asked: Asked) -> web.Response:
        order = orders.find_order(asked, self.bank, USDM, is_cancel=True)
        self.bank.cancel(asked.account, order)
        return web.json_response(order_body(order))

    def cancel_all(self, asked: Asked) -> web.Response:
        symbol = asked.text("symbol")
        for order in asked.account.open_orders(USDM):
            if order.symbol == symbol:
                self.bank.cancel(asked.account, order)
        return web.json_response(
            {"code": 200, "msg": "The operation of cancel all open order is done."}
        )

    # --- settings -------------------------------------------------------------------------------

    def set_leverage(self, asked: Asked) -> web.Response:
        symbol, wanted = asked.text("symbol"), asked.integer("leverage")
        self.bank.listed(USDM, symbol)
        if wanted is None or not 1 <= wanted <= 125:
            raise Refusal(-4028, f"Leverage {wanted} is not valid")
        asked.account.leverage[symbol] = wanted
        return web.json_response(
            {"symbol": symbol, "leverage": wanted, "maxNotionalValue": "1000000"}
        )

    def set_margin_type(self, asked: Asked) -> web.Response:
        if asked.text("marginType") != "ISOLATED":
            raise Refusal(-4046, "No need to change margin type.")
        return web.json_response({"code": 200, "msg": "success"})

    def mode(self, asked: Asked) -> web.Response:
        return web.json_response({"dualSidePosition": asked.account.is_hedged})

    def set_mode(self, asked: Asked) -> web.Response:
        wanted = asked.flag("dualSidePosition")
        if wanted == asked.account.is_hedged:
            raise Refusal(-4059, "No need to change position side.")
        if any(position.amount for position in asked.account.positions.values()):
            raise Refusal(-4068, "Position side cannot be changed if there exists position.")
        asked.account.is_hedged = wanted
        return web.json_response({"code": 200, "msg": "success"})

    def multi_assets(self, asked: Asked) -> web.Response:
        return web.json_response({"multiAssetsMargin": False})

    def symbol_config(self, asked: Asked) -> web.Response:
        wanted = asked.params.get("symbol")
        return web.json_response(
            [
                {
                    "symbol": name,
                    "marginType": "CROSSED",
                    "isAutoAddMargin": "false",
                    "leverage": asked.account.leverage.get(name, LEVERAGE),
                    "maxNotionalValue": "1000000",
                }
                for name in self.bank.exchange.markets[USDM].listed
                if wanted in {None, name}
            ]
        )

    def account_config(self, asked: Asked) -> web.Response:
        return web.json_response(
            {
                "feeTier": 0,
                "canTrade": True,
                "canDeposit": True,
                "canWithdraw": True,
                "dualSidePosition": asked.account.is_hedged,
                "updateTime": 0,
                "multiAssetsMargin": False,
                "tradeGroupId": -1,
            }
        )

    def commission(self, asked: Asked) -> web.Response:
        return web.json_response(
            {
                "symbol": asked.text("symbol"),
                "makerCommissionRate": "0.0002",
                "takerCommissionRate": "0.0005",
            }
        )

    def brackets(self, asked: Asked) -> web.Response:
        bracket = {
            "bracket": 1,
            "initialLeverage": 125,
            "notionalCap": 50_000,
            "notionalFloor": 0,
            "maintMarginRatio": 0.004,
            "cum": 0.0,
        }
        names = self.bank.exchange.markets[USDM].listed
        return web.json_response([{"symbol": n, "brackets": [bracket]} for n in names])

    # --- the user stream ------------------------------------------------------------------------

    def start_stream(self, asked: Asked) -> web.Response:
        return web.json_response({"listenKey": self.listen_keys.start(asked.account.uid)})

    def extend_stream(self, asked: Asked) -> web.Response:
        return web.json_response({"listenKey": self.listen_keys.extend(asked.account.uid)})

    def end_stream(self, asked: Asked) -> web.Response:
        self.listen_keys.end(asked.account.uid)
        return web.json_response({})

    # --- shapes ---------------------------------------------------------------------------------

    def _window(self, asked: Asked) -> tuple[int, int]:
        start, end = asked.moment_ms("startTime"), asked.moment_ms("endTime")
        if start is not None and end is not None and end - start > 7 * DAY_MS:
            raise Refusal(-4167, "The interval between startTime and endTime is over 7 days.")
        if end is None:
            end = self.bank.now_ms() if start is None else start + 7 * DAY_MS
        return (end - 7 * DAY_MS if start is None else start), end

    def _mark(self, symbol: str) -> int:
        listed = self.bank.listed(USDM, symbol)
        mark = listed.symbol.mark(self.bank.exchange.now())
        return mark.price if mark else self.bank.last_price(USDM, symbol)

    def _unrealized(self, position: Position) -> int:
        if not position.amount:
            return 0
        return (self._mark(position.symbol) * position.amount - position.cost) // UNIT

    def _margin(self, account: Account, position: Position) -> int:
        if not position.amount:
            return 0
        value = self._mark(position.symbol) * abs(position.amount) // UNIT
        return value // account.leverage.get(position.symbol, LEVERAGE)

    def _asset(self, account: Account, name: str) -> Body:
        wallet = account.wallet[name]
        profit = sum(self._unrealized(p) for p in account.positions.values()) * (name == "USDT")
        margin = sum(self._margin(account, p) for p in account.positions.values()) * (
            name == "USDT"
        )
        return {
            "asset": name,
            "walletBalance": to_text(wallet),
            "unrealizedProfit": to_text(profit),
            "crossUnPnl": to_text(profit),
            "marginBalance": to_text(wallet + profit),
            "maintMargin": to_text(margin // 2),
            "initialMargin": to_text(margin),
            "positionInitialMargin": to_text(margin),
            "openOrderInitialMargin": "0",
            "crossWalletBalance": to_text(wallet),
            "marginAvailable": True,
            "availableBalance": to_text(max(0, wallet + profit - margin)),
            "maxWithdrawAmount": to_text(max(0, wallet - margin)),
            "updateTime": account.updated,
        }

    def _position(self, account: Account, position: Position) -> Body:
        mark = self._mark(position.symbol)
        value = mark * position.amount // UNIT
        margin = to_text(self._margin(account, position))
        leverage = account.leverage.get(position.symbol, LEVERAGE)
        gap = position.entry // leverage
        liquidation = position.entry - gap if position.amount > 0 else position.entry + gap
        return {
            "symbol": position.symbol,
            "positionSide": position.side,
            "positionAmt": to_text(position.amount),
            "entryPrice": to_text(position.entry),
            "breakEvenPrice": to_text(position.entry),
            "markPrice": to_text(mark),
            "unRealizedProfit": to_text(self._unrealized(position)),
            "unrealizedProfit": to_text(self._unrealized(position)),
            "liquidationPrice": to_text(max(0, liquidation)),
            "isolatedMargin": "0",
            "notional": to_text(value),
            "marginAsset": "USDT",
            "isolatedWallet": "0",
            "initialMargin": margin,
            "maintMargin": margin,
            "positionInitialMargin": margin,
            "openOrderInitialMargin": "0",
            "adl": 2,
            "bidNotional": "0",
            "askNotional": "0",
            "updateTime": account.updated,
            "leverage": str(leverage),
            "marginType": "cross",
        }


def order_body(order: Order) -> Body:
    average = order.quote * UNIT // order.executed if order.executed else 0
    return {
        "orderId": order.id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_id,
        "price": to_text(order.price),
        "avgPrice": to_text(average),
        "origQty": to_text(order.quantity),
        "executedQty": to_text(order.executed),
        "cumQuote": to_text(order.quote),
        "cumQty": to_text(order.executed),
        "timeInForce": order.time_in_force,
        "type": order.type,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side,
        "positionSide": order.position_side,
        "stopPrice": to_text(order.stop_price),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order.type,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "NONE",
        "goodTillDate": 0,
        "time": order.time,
        "updateTime": order.updated,
    }


def _trade(fill: Fill) -> Body:
    is_buy = fill.side == "BUY"
    return {
        "symbol": fill.symbol,
        "id": fill.id,
        "orderId": fill.order_id,
        "side": fill.side,
        "price": to_text(fill.price),
        "qty": to_text(fill.quantity),
        "realizedPnl": to_text(fill.realized),
        "quoteQty": to_text(fill.quote),
        "commission": to_text(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.time,
        "positionSide": fill.position_side,
        "buyer": is_buy,
        "maker": fill.is_maker,
        "marginAsset": fill.commission_asset,
        "pair": fill.symbol,
        "baseQty": "0",
    }


def _nothing(asked: Asked) -> web.Response:
    return web.json_response([])
