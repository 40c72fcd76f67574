"""`/fapi/v1/{trade,income}/asyn`: history older than three months as a file, at most a year each.
Source: binance.md section 5.3 (docstrings of Binance's SDK 18.1.0); the columns are those of the
exports on Binance's site."""

import csv
import io
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.records import USDM, Account
from simulator.accounts.refusals import Refusal
from simulator.amounts import to_text
from simulator.rest.signed import Door, SignedCall

YEAR_MS = 366 * 86_400_000
READY_MS = 1500
Row = Iterable[object]
TRADE_COLUMNS = (
    "Uid",
    "Time(UTC)",
    "Symbol",
    "Side",
    "Position Side",
    "Price",
    "Quantity",
    "Amount",
    "Fee",
    "Fee Coin",
    "Realized Profit",
    "Buyer",
    "Maker",
    "Trade ID",
    "Order ID",
)
INCOME_COLUMNS = (
    "Uid",
    "Time(UTC)",
    "Type",
    "Amount",
    "Asset",
    "Symbol",
    "Transaction ID",
    "Trade ID",
    "Info",
)


class Downloads:
    """A file is asked for, is made ready after a moment, and is fetched from an address."""

    def __init__(self, bank: Bank, door: Door) -> None:
        self.bank = bank
        self.door = door
        # id -> (account, kind, start ms, end ms, asked at)
        self.asked_for: dict[str, tuple[Account, str, int, int, int]] = {}

    def routes(self) -> list[web.RouteDef]:
        use = partial(self.door.signed, permission="enableFutures")
        routes = [web.get("/simulator/downloads/{name}", self.fetch)]
        for kind in ("trade", "income"):
            routes += [
                web.get(f"/fapi/v1/{kind}/asyn", use(partial(self.ask, kind))),
                web.get(f"/fapi/v1/{kind}/asyn/id", use(self.look)),
            ]
        return routes

    def ask(self, kind: str, call: SignedCall) -> web.Response:
        start, end = call.moment_ms("startTime"), call.moment_ms("endTime")
        if start is None or end is None or not 0 <= end - start <= YEAR_MS:
            raise Refusal(-4167, "The interval between startTime and endTime is over a year.")
        name = f"{self.bank.next_id()}"
        self.asked_for[name] = call.account, kind, start, end, self.bank.now_ms()
        return web.json_response({"avgCostTimestampOfLast30d": READY_MS, "downloadId": name})

    def look(self, call: SignedCall) -> web.Response:
        name = call.text("downloadId")
        job = self.asked_for.get(name)
        if job is None or job[0] is not call.account:
            raise Refusal(-1102, "Mandatory parameter 'downloadId' was malformed.")
        is_ready = self.bank.now_ms() >= job[-1] + READY_MS
        return web.json_response(
            {
                "downloadId": name,
                "status": "completed" if is_ready else "processing",
                "url": f"/simulator/downloads/{name}.zip" if is_ready else "",
                "notified": True,
                "expirationTimestamp": job[-1] + 86_400_000,
                "isExpired": None,
            }
        )

    async def fetch(self, request: web.Request) -> web.Response:
        job = self.asked_for.get(request.match_info["name"].removesuffix(".zip"))
        if job is None:
            raise web.HTTPNotFound
        account, kind, start, end, _ = job
        rows = _trades(account, start, end) if kind == "trade" else _income(account, start, end)
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows(
            [TRADE_COLUMNS if kind == "trade" else INCOME_COLUMNS, *rows]
        )
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{kind}.csv", table.getvalue())
        return web.Response(body=packed.getvalue(), content_type="application/zip")


def _trades(account: Account, start: int, end: int) -> Iterable[Row]:
    for fill in account.fills:
        if fill.market == USDM and start <= fill.time <= end and not fill.is_forgotten:
            yield (
                account.uid,
                _utc(fill.time),
                fill.symbol,
                fill.side,
                fill.position_side,
                to_text(fill.price),
                to_text(fill.quantity),
                to_text(fill.quote),
                to_text(fill.commission),
                fill.commission_asset,
                to_text(fill.realized),
                str(fill.side == "BUY").lower(),
                str(fill.is_maker).lower(),
                fill.id,
                fill.order_id,
            )


def _income(account: Account, start: int, end: int) -> Iterable[Row]:
    for item in account.movements:
        if item.kind == "income" and start <= item.time <= end:
            yield (
                account.uid,
                _utc(item.time),
                item.details["incomeType"],
                to_text(item.amount),
                item.asset,
                item.details["symbol"],
                item.id,
                item.details["tradeId"],
                item.details["info"],
            )


def _utc(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
