"""`/api/v3` for the owner of an account. Source: binance-spot-api-docs rest-api.md (2026-07-21)."""

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.records import SPOT, Account
from simulator.accounts.refusals import Refusal
from simulator.amounts import to_text
from simulator.rest.shapes import Body
from simulator.rest.signed import Door, SignedCall
from simulator.rest.spot_shapes import RATES, day, trade_body


class SpotAccountRest:
    def __init__(self, bank: Bank, door: Door) -> None:
        self.bank = bank
        self.door = door

    def routes(self) -> list[web.RouteDef]:
        read = self.door.signed
        head = "/api/v3/"
        return [
            web.get(f"{head}account", read(self.account)),
            web.get(f"{head}myTrades", read(self.my_trades)),
            web.get(f"{head}account/commission", read(self.commission)),
            web.get(f"{head}myFilters", read(self.my_filters)),
            web.get(f"{head}myPreventedMatches", read(_nothing)),
            web.get(f"{head}myAllocations", read(_nothing)),
        ]

    def account(self, call: SignedCall) -> web.Response:
        return web.json_response(account_body(call.account, call))

    def my_trades(self, call: SignedCall) -> web.Response:
        return web.json_response(my_trades(call, self.bank))

    def commission(self, call: SignedCall) -> web.Response:
        symbol = call.text("symbol")
        self.bank.listed(SPOT, symbol)
        nothing = dict.fromkeys(RATES, "0.00000000")
        return web.json_response(
            {
                "symbol": symbol,
                "standardCommission": RATES,
                "specialCommission": nothing,
                "taxCommission": nothing,
                "discount": {
                    "enabledForAccount": call.account.pays_in_bnb,
                    "enabledForSymbol": True,
                    "discountAsset": "BNB",
                    "discount": "0.75000000",
                },
            }
        )

    def my_filters(self, call: SignedCall) -> web.Response:
        self.bank.listed(SPOT, call.text("symbol"))
        return web.json_response({"exchangeFilters": [], "symbolFilters": [], "assetFilters": []})


def account_body(account: Account, call: SignedCall) -> Body:
    spares = call.flag("omitZeroBalances")
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": RATES,
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": account.updated * (1000 if call.scale == 1 else 1),
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": to_text(held.free), "locked": to_text(held.locked)}
            for asset, held in sorted(account.holdings.items())
            if held.total or not spares
        ]
        + [
            # flexible Earn stands among the coins of spot, under names of its own
            {"asset": f"LD{asset}", "free": to_text(amount), "locked": "0.00000000"}
            for asset, amount in account.flexible.items()
        ],
        "permissions": ["SPOT"],
        "uid": account.uid,
    }


def my_trades(call: SignedCall, bank: Bank) -> list[Body]:
    symbol = call.text("symbol")
    bank.listed(SPOT, symbol)
    from_id, order_id = call.integer("fromId"), call.integer("orderId")
    if from_id is not None and {"startTime", "endTime"} & set(call.params):
        raise Refusal(-1128, "Combination of optional parameters invalid.")
    start, end = day(call)
    fills = [
        fill
        for fill in call.account.fills
        if fill.market == SPOT
        and fill.symbol == symbol
        and not fill.is_forgotten
        and (from_id is None or fill.id >= from_id)
        and (order_id is None or fill.order_id == order_id)
        and start <= fill.time <= end
    ]
    fills.sort(key=lambda fill: fill.id)
    wanted = call.count()
    is_forward = from_id is not None or "startTime" in call.params or order_id is not None
    return [trade_body(f, call.scale) for f in (fills[:wanted] if is_forward else fills[-wanted:])]


def _nothing(call: SignedCall) -> web.Response:
    return web.json_response([])
