"""`/sapi/v1`: what a key may do, and everything that moved balances without an order. Source:
binance.md section 3.5 (wallet and convert docstrings of Binance's SDK, 2026-08-21)."""

from datetime import UTC, datetime

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.records import Movement
from simulator.accounts.refusals import Refusal
from simulator.amounts import to_text
from simulator.rest.shapes import Body
from simulator.rest.signed import Door, SignedCall

DAY_MS = 86_400_000


class Sapi:
    def __init__(self, bank: Bank, door: Door) -> None:
        self.bank = bank
        self.door = door

    def routes(self) -> list[web.RouteDef]:
        read = self.door.signed
        head = "/sapi/v1/"
        return [
            web.get(f"{head}account/apiRestrictions", read(self.restrictions)),
            web.get(f"{head}capital/deposit/hisrec", read(self.deposits)),
            web.get(f"{head}capital/withdraw/history", read(self.withdrawals)),
            web.get(f"{head}capital/config/getall", read(self.coins)),
            web.get(f"{head}asset/dribblet", read(self.dust)),
            web.get(f"{head}asset/assetDividend", read(self.dividends)),
            web.get(f"{head}asset/transfer", read(self.transfers)),
            web.get(f"{head}asset/tradeFee", read(self.fees)),
            web.get(f"{head}convert/tradeFlow", read(self.converts)),
            web.post(f"{head}asset/get-funding-asset", read(self.funding)),
            web.get(f"{head}simple-earn/flexible/position", read(self.flexible)),
            web.get(f"{head}simple-earn/locked/position", read(self.locked)),
        ]

    def restrictions(self, call: SignedCall) -> web.Response:
        key = call.key
        return web.json_response(
            {**key.permissions, "ipRestrict": bool(key.addresses), "createTime": key.created}
        )

    def deposits(self, call: SignedCall) -> web.Response:
        start, end = self._window(call, 90)
        moved = self._moved(call, "deposit", start, end)
        offset = call.integer("offset") or 0
        chosen = moved[::-1][offset : offset + call.count(1000)]
        return web.json_response([_deposit(item) for item in chosen])

    def withdrawals(self, call: SignedCall) -> web.Response:
        start, end = self._window(call, 90)
        moved = self._moved(call, "withdrawal", start, end)
        offset = call.integer("offset") or 0
        chosen = moved[::-1][offset : offset + call.count(1000)]
        return web.json_response([_withdrawal(item) for item in chosen])

    def dust(self, call: SignedCall) -> web.Response:
        """The last hundred."""
        start, end = call.moment_ms("startTime") or 0, call.moment_ms("endTime") or 2**62
        moved = self._moved(call, "dust", start, end)
        groups: dict[int, list[Movement]] = {}
        for item in moved:
            groups.setdefault(int(item.details["group"]), []).append(item)
        chosen = list(groups.items())[-100:][::-1]
        return web.json_response(
            {"total": len(groups), "userAssetDribblets": [_dust(*group) for group in chosen]}
        )

    def dividends(self, call: SignedCall) -> web.Response:
        start, end = self._window(call, 180)
        moved = self._moved(call, "dividend", start, end)
        asset = call.params.get("asset")
        chosen = [item for item in moved if asset in {None, item.asset}][::-1]
        rows = [
            {
                "id": item.id,
                "amount": to_text(item.amount),
                "asset": item.asset,
                "divTime": item.time,
                "enInfo": item.details["info"],
                "tranId": item.id,
                "direction": 1,
            }
            for item in chosen[: call.count(20, 500)]
        ]
        return web.json_response({"rows": rows, "total": len(chosen)})

    def transfers(self, call: SignedCall) -> web.Response:
        """`type` names the direction: MAIN_UMFUTURE or UMFUTURE_MAIN here."""
        kind = call.text("type")
        start, end = self._window(call, 180)
        moves = [
            item
            for item in self._moved(call, "transfer", start, end)
            if item.details["type"] == kind
        ][::-1]
        size, page = call.integer("size") or 10, call.integer("current") or 1
        rows = [
            {
                "asset": item.asset,
                "amount": to_text(abs(item.amount)),
                "type": kind,
                "status": "CONFIRMED",
                "tranId": item.id,
                "timestamp": item.time,
            }
            for item in moves[(page - 1) * size : page * size]
        ]
        return web.json_response({"total": len(moves), "rows": rows})

    def converts(self, call: SignedCall) -> web.Response:
        """Start and end are needed, at most 30 days apart; `moreData`, and no cursor."""
        call.text("startTime"), call.text("endTime")
        start, end = self._window(call, 30)
        converted = [
            item for item in self._moved(call, "convert", start, end) if "orderId" in item.details
        ]
        wanted = call.count(100)
        rows = [
            {**item.details, "orderStatus": "SUCCESS", "createTime": item.time}
            for item in converted[:wanted]
        ]
        return web.json_response(
            {
                "list": rows,
                "startTime": start,
                "endTime": end,
                "limit": wanted,
                "moreData": len(converted) > wanted,
            }
        )

    def funding(self, call: SignedCall) -> web.Response:
        """What came by MAIN_FUNDING and did not go back, and what was planted there."""
        held = dict(call.account.funding)
        for item in call.account.movements:
            if item.kind == "transfer" and item.details["type"] in {"MAIN_FUNDING", "FUNDING_MAIN"}:
                held[item.asset] = held.get(item.asset, 0) - item.amount
        wanted = call.params.get("asset")
        return web.json_response(
            [
                {
                    "asset": asset,
                    "free": to_text(amount),
                    "locked": "0",
                    "freeze": "0",
                    "withdrawing": "0",
                    "btcValuation": "0",
                }
                for asset, amount in held.items()
                if amount and wanted in {None, asset}
            ]
        )

    def flexible(self, call: SignedCall) -> web.Response:
        rows = [
            {
                "totalAmount": to_text(amount),
                "asset": asset,
                "productId": f"{asset}001",
                "collateralAmount": "0",
                "canRedeem": True,
                "autoSubscribe": True,
                "latestAnnualPercentageRate": "0.01",
                "yesterdayRealTimeRewards": "0",
                "cumulativeTotalRewards": "0",
            }
            for asset, amount in call.account.flexible.items()
        ]
        return web.json_response(_page(call, rows))

    def locked(self, call: SignedCall) -> web.Response:
        rows = [
            {
                "positionId": number,
                "projectId": f"{asset}*90",
                "asset": asset,
                "amount": to_text(amount),
                "duration": "90",
                "accrualDays": "4",
                "status": "HOLDING",
            }
            for number, (asset, amount) in enumerate(call.account.locked.items(), 1)
        ]
        return web.json_response(_page(call, rows))

    def coins(self, call: SignedCall) -> web.Response:
        names = {s.rules.base for m in self.bank.exchange.markets.values() for s in m.symbols}
        names |= {s.rules.quote for m in self.bank.exchange.markets.values() for s in m.symbols}
        return web.json_response([self._coin(call, name) for name in sorted(names)])

    def fees(self, call: SignedCall) -> web.Response:
        wanted = call.params.get("symbol")
        return web.json_response(
            [
                {
                    "symbol": symbol.rules.symbol,
                    "makerCommission": "0.001",
                    "takerCommission": "0.001",
                }
                for symbol in self.bank.exchange.markets["spot"].symbols
                if wanted in {None, symbol.rules.symbol}
            ]
        )

    def _coin(self, call: SignedCall, name: str) -> Body:
        held = call.account.holdings.get(name)
        network = {
            "network": name,
            "coin": name,
            "name": name,
            "isDefault": True,
            "depositEnable": True,
            "withdrawEnable": True,
            "withdrawFee": "0.0001",
            "withdrawMin": "0.001",
            "withdrawMax": "1000000",
            "minConfirm": 1,
            "unLockConfirm": 1,
            "contractAddress": "",
            "withdrawIntegerMultiple": "0.00000001",
        }
        return {
            "coin": name,
            "name": name,
            "depositAllEnable": True,
            "withdrawAllEnable": True,
            "free": to_text(held.free if held else 0),
            "locked": to_text(held.locked if held else 0),
            "freeze": "0",
            "withdrawing": "0",
            "ipoing": "0",
            "ipoable": "0",
            "storage": "0",
            "isLegalMoney": False,
            "trading": True,
            "networkList": [network],
        }

    def _window(self, call: SignedCall, days: int) -> tuple[int, int]:
        """At most so many days; without a start the newest ones. Raises Refusal."""
        end = call.moment_ms("endTime")
        start = call.moment_ms("startTime")
        if start is not None and end is not None and not 0 <= end - start <= days * DAY_MS:
            raise Refusal(
                -1127, f"The interval between startTime and endTime is more than {days} days."
            )
        if end is None:
            end = self.bank.now_ms() if start is None else start + days * DAY_MS
        return (end - days * DAY_MS if start is None else start), end

    def _moved(self, call: SignedCall, kind: str, start: int, end: int) -> list[Movement]:
        return [
            item
            for item in call.account.movements
            if item.kind == kind and start <= item.time <= end and "forgotten" not in item.details
        ]


def _page(call: SignedCall, rows: list[Body]) -> Body:
    """`current` from 1, `size` 10 of at most 100."""
    size, number = min(call.integer("size") or 10, 100), call.integer("current") or 1
    return {"rows": rows[(number - 1) * size : number * size], "total": len(rows)}


def _deposit(item: Movement) -> Body:
    return {
        "id": str(item.id),
        "amount": to_text(item.amount),
        "coin": item.asset,
        "network": item.asset,
        "status": 1,
        "address": "0xdeposit",
        "addressTag": "",
        "txId": f"0x{item.id:064x}",
        "insertTime": item.time,
        "completeTime": item.time,
        "transferType": 0,
        "confirmTimes": "1/1",
        "unlockConfirm": 1,
        "walletType": int(item.details.get("wallet", 0)),
    }


def _withdrawal(item: Movement) -> Body:
    """`amount` without the fee, as Binance says it."""
    fee = int(item.details.get("fee", 0))
    moment = _utc(item.time)
    return {
        "id": str(item.id),
        "amount": to_text(-item.amount - fee),
        "transactionFee": to_text(fee),
        "coin": item.asset,
        "status": 6,
        "address": "0xwithdrawal",
        "txId": f"0x{item.id:064x}",
        "applyTime": moment,
        "completeTime": moment,
        "network": item.asset,
        "transferType": 0,
        "info": "",
        "confirmNo": 3,
        "walletType": int(item.details.get("wallet", 0)),
        "txKey": "",
    }


def _dust(group: int, items: list[Movement]) -> Body:
    gained = sum(item.amount for item in items if item.asset == "BNB")
    fees = sum(int(item.details.get("fee", 0)) for item in items if item.asset == "BNB")
    return {
        "operateTime": items[0].time,
        "totalTransferedAmount": to_text(gained),
        "totalServiceChargeAmount": to_text(fees),
        "transId": group,
        "userAssetDribbletDetails": [
            {
                "transId": item.id,
                "serviceChargeAmount": to_text(int(item.details["fee"])),
                "amount": to_text(int(item.details["from_amount"])),
                "operateTime": item.time,
                "transferedAmount": to_text(item.amount),
                "fromAsset": item.details["from_asset"],
            }
            for item in items
            if item.asset == "BNB"
        ],
    }


def _utc(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
