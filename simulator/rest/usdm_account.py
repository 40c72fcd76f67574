"""`/fapi` for the owner of an account. Source: developers.binance.com, USD-M futures (2026-05-28),
and the docstrings of binance-sdk-derivatives-trading-usds-futures 18."""

from functools import partial

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.futures import LEVERAGE
from simulator.accounts.records import USDM, Account, Fill, Position
from simulator.amounts import UNIT, to_text
from simulator.listen_keys import ListenKeys
from simulator.rest.shapes import Body
from simulator.rest.signed import Door, SignedCall
from simulator.rest.usdm_windows import week

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
        routes = [
            web.get("/fapi/v1/userTrades", use(self.user_trades)),
            web.get("/fapi/v1/income", use(self.income)),
            web.post("/fapi/v1/listenKey", self.door.keyed(self.start_stream, FUTURES)),
            web.put("/fapi/v1/listenKey", self.door.keyed(self.extend_stream, FUTURES)),
            web.delete("/fapi/v1/listenKey", self.door.keyed(self.end_stream, FUTURES)),
        ]
        for version in ("v2", "v3"):
            routes += [
                web.get(f"/fapi/{version}/account", use(self.account)),
                web.get(f"/fapi/{version}/balance", use(self.balance)),
                web.get(f"/fapi/{version}/positionRisk", use(self.positions)),
            ]
        return routes

    # --- what is held ---------------------------------------------------------------------------

    def account(self, call: SignedCall) -> web.Response:
        account = call.account
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

    def balance(self, call: SignedCall) -> web.Response:
        return web.json_response(
            [
                {
                    "accountAlias": "SgsR",
                    "balance": to_text(amount),
                    **self._asset(call.account, name),
                }
                for name, amount in call.account.wallet.items()
            ]
        )

    def positions(self, call: SignedCall) -> web.Response:
        symbol = call.params.get("symbol")
        return web.json_response(
            [
                self._position(call.account, position)
                for position in call.account.positions.values()
                if position.amount and symbol in {None, position.symbol}
            ]
        )

    # --- what happened --------------------------------------------------------------------------

    def user_trades(self, call: SignedCall) -> web.Response:
        """A window of at most seven days, of the last three months."""
        symbol = call.text("symbol")
        self.bank.listed(USDM, symbol)
        from_id = call.integer("fromId")
        start, end = week(call, self.bank.now_ms()) if from_id is None else (0, 2**62)
        oldest = self.bank.now_ms() - KEPT_MS
        fills = [
            fill
            for fill in call.account.fills
            if fill.market == USDM
            and fill.symbol == symbol
            and not fill.is_forgotten
            and (from_id is None or fill.id >= from_id)
            and max(start, oldest) <= fill.time <= end
        ]
        fills.sort(key=lambda fill: fill.id)
        wanted = call.count()
        forward = from_id is not None or "startTime" in call.params
        chosen = fills[:wanted] if forward else fills[-wanted:]
        return web.json_response([_trade(fill) for fill in chosen])

    def income(self, call: SignedCall) -> web.Response:
        """Three months, oldest first; no pages any more."""
        start, end = call.moment_ms("startTime"), call.moment_ms("endTime")
        now = self.bank.now_ms()
        end = now if end is None else end
        start = end - 7 * DAY_MS if start is None else start
        start = max(start, now - KEPT_MS)
        symbol, kind = call.params.get("symbol"), call.params.get("incomeType")
        lines = [
            item
            for item in call.account.movements
            if item.kind == "income"
            and start <= item.time <= end
            and symbol in {None, item.details["symbol"]}
            and kind in {None, item.details["incomeType"]}
        ]
        lines.sort(key=lambda item: (item.time, item.id))
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
                for item in lines[: call.count(100)]
            ]
        )

    # --- the user stream ------------------------------------------------------------------------

    def start_stream(self, call: SignedCall) -> web.Response:
        return web.json_response({"listenKey": self.listen_keys.start(call.account.uid)})

    def extend_stream(self, call: SignedCall) -> web.Response:
        return web.json_response({"listenKey": self.listen_keys.extend(call.account.uid)})

    def end_stream(self, call: SignedCall) -> web.Response:
        self.listen_keys.end(call.account.uid)
        return web.json_response({})

    # --- shapes ---------------------------------------------------------------------------------

    def _unrealized(self, position: Position) -> int:
        if not position.amount:
            return 0
        return (self.bank.mark_price(position.symbol) * position.amount - position.cost) // UNIT

    def _margin(self, account: Account, position: Position) -> int:
        if not position.amount:
            return 0
        value = self.bank.mark_price(position.symbol) * abs(position.amount) // UNIT
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
        mark = self.bank.mark_price(position.symbol)
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
