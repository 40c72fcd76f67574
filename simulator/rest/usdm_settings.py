"""How an account trades USD-M futures: leverage, margin type, position mode, fees."""

from functools import partial

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.futures import LEVERAGE
from simulator.accounts.records import USDM
from simulator.accounts.refusals import Refusal
from simulator.rest.signed import Door, SignedCall

FUTURES = "enableFutures"


class UsdmSettingsRest:
    def __init__(self, bank: Bank, door: Door) -> None:
        self.bank = bank
        self.door = door

    def routes(self) -> list[web.RouteDef]:
        use = partial(self.door.signed, permission=FUTURES)
        head = "/fapi/v1/"
        return [
            web.post(f"{head}leverage", use(self.set_leverage)),
            web.post(f"{head}marginType", use(self.set_margin_type)),
            web.get(f"{head}positionSide/dual", use(self.mode)),
            web.post(f"{head}positionSide/dual", use(self.set_mode)),
            web.get(f"{head}multiAssetsMargin", use(self.multi_assets)),
            web.get(f"{head}symbolConfig", use(self.symbol_config)),
            web.get(f"{head}accountConfig", use(self.account_config)),
            web.get(f"{head}commissionRate", use(self.commission)),
            web.get(f"{head}leverageBracket", use(self.brackets)),
        ]

    def set_leverage(self, call: SignedCall) -> web.Response:
        symbol, wanted = call.text("symbol"), call.integer("leverage")
        self.bank.listed(USDM, symbol)
        if wanted is None or not 1 <= wanted <= 125:
            raise Refusal(-4028, f"Leverage {wanted} is not valid")
        call.account.leverage[symbol] = wanted
        self.bank.tell_config(call.account, symbol)
        return web.json_response(
            {"symbol": symbol, "leverage": wanted, "maxNotionalValue": "1000000"}
        )

    def set_margin_type(self, call: SignedCall) -> web.Response:
        symbol, wanted = call.text("symbol"), call.text("marginType")
        self.bank.listed(USDM, symbol)
        if wanted not in {"ISOLATED", "CROSSED"}:
            raise Refusal(-1106, "Parameter 'marginType' is invalid.")
        account = call.account
        if (wanted == "ISOLATED") == (symbol in account.isolated):
            raise Refusal(-4046, "No need to change margin type.")
        if any(order.symbol == symbol for order in account.open_orders(USDM)):
            raise Refusal(-4047, "Margin type cannot be changed if there exists open orders.")
        if any(p.symbol == symbol and p.amount for p in account.positions.values()):
            raise Refusal(-4048, "Margin type cannot be changed if there exists position.")
        if wanted == "ISOLATED":
            account.isolated.add(symbol)
        else:
            account.isolated.discard(symbol)
        self.bank.changed()
        return web.json_response({"code": 200, "msg": "success"})

    def mode(self, call: SignedCall) -> web.Response:
        return web.json_response({"dualSidePosition": call.account.is_hedged})

    def set_mode(self, call: SignedCall) -> web.Response:
        wanted = call.flag("dualSidePosition")
        if wanted == call.account.is_hedged:
            raise Refusal(-4059, "No need to change position side.")
        if any(position.amount for position in call.account.positions.values()):
            raise Refusal(-4068, "Position side cannot be changed if there exists position.")
        is_waiting = any(algo.is_open for algo in call.account.algos.values())
        if is_waiting or call.account.open_orders(USDM):
            raise Refusal(-4067, "Position side cannot be changed if there exists open orders.")
        call.account.is_hedged = wanted
        self.bank.changed()
        return web.json_response({"code": 200, "msg": "success"})

    def multi_assets(self, call: SignedCall) -> web.Response:
        return web.json_response({"multiAssetsMargin": False})

    def symbol_config(self, call: SignedCall) -> web.Response:
        wanted = call.params.get("symbol")
        return web.json_response(
            [
                {
                    "symbol": name,
                    "marginType": "ISOLATED" if name in call.account.isolated else "CROSSED",
                    "isAutoAddMargin": "false",
                    "leverage": call.account.leverage.get(name, LEVERAGE),
                    "maxNotionalValue": "1000000",
                }
                for name in self.bank.exchange.markets[USDM].listed
                if wanted in {None, name}
            ]
        )

    def account_config(self, call: SignedCall) -> web.Response:
        return web.json_response(
            {
                "feeTier": 0,
                "canTrade": True,
                "canDeposit": True,
                "canWithdraw": True,
                "dualSidePosition": call.account.is_hedged,
                "updateTime": 0,
                "multiAssetsMargin": False,
                "tradeGroupId": -1,
            }
        )

    def commission(self, call: SignedCall) -> web.Response:
        return web.json_response(
            {
                "symbol": call.text("symbol"),
                "makerCommissionRate": "0.0002",
                "takerCommissionRate": "0.0005",
            }
        )

    def brackets(self, call: SignedCall) -> web.Response:
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
