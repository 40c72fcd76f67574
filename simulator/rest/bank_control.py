"""`/simulator/accounts…`: opening accounts, keys and their permissions, moving money, the truth."""

import json
from typing import Any

from aiohttp import web

from simulator.accounts.bank import Bank
from simulator.accounts.history import Year
from simulator.accounts.records import FUNDING, SPOT, USDM, Account, Movement
from simulator.accounts.refusals import Refusal
from simulator.accounts.truth import truth
from simulator.amounts import to_text, to_units


class BankControl:
    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    def routes(self) -> list[web.RouteDef]:
        head = "/simulator/accounts"
        return [
            web.get(head, self.show),
            web.post(head, self.open),
            web.delete(head + r"/{uid:\d+}", self.close),
            web.get(head + r"/{uid:\d+}/truth", self.truth),
            web.post(head + r"/{uid:\d+}/keys", self.add_key),
            web.post(head + r"/{uid:\d+}/move", self.move),
            web.post("/simulator/keys/{key}", self.change_key),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Every account with its keys; HMAC secrets too, since nothing here is worth a cent."""
        return web.json_response([self._shown(item) for item in self.bank.accounts.values()])

    async def open(self, request: web.Request) -> web.Response:
        """`{"name": "x", "balances": {"USDT": "1000"}, "futures": {"USDT": "500"}, "kind": "hmac",
        "permissions": {…}}`, in Earn `flexible` and `locked` -> uid, apiKey, secretKey. With
        `"year": 7` a made-up year of that seed lies behind it instead of balances; with
        `"like": uid` it is a twin of that account, with the same past."""
        wanted = await _body(request)
        try:
            balances = {str(a): to_units(str(v)) for a, v in wanted.get("balances", {}).items()}
            wallet = {str(a): to_units(str(v)) for a, v in wanted.get("futures", {}).items()}
            name = str(wanted.get("name", "account"))
            if "like" in wanted:
                return self._opened(self.bank.open_like(name, self._model(wanted["like"])), wanted)
            account = self.bank.open_account(name, balances, wallet)
            for name in ("flexible", "locked"):
                held = {str(a): to_units(str(v)) for a, v in wanted.get(name, {}).items()}
                setattr(account, name, held)
            if "year" in wanted:
                Year(self.bank, account, int(wanted["year"])).live()
            return self._opened(account, wanted)
        except (ValueError, AttributeError, TypeError) as error:
            raise Refusal(
                -1, f"expected name, balances, futures, kind, permissions: {error}"
            ) from (error)

    def _opened(self, account: Account, wanted: dict[str, Any]) -> web.Response:
        """Raises ValueError."""
        key, secret = self.bank.add_key(
            account, str(wanted.get("kind", "hmac")), dict(wanted.get("permissions", {}))
        )
        return web.json_response(
            {"uid": account.uid, "apiKey": key.api_key, "secretKey": secret, "kind": key.kind}
        )

    def _model(self, uid: object) -> Account:
        model = self.bank.accounts.get(uid) if isinstance(uid, int) else None
        if model is None:
            raise Refusal(-1, "expected the uid of an account as like", 404)
        return model

    async def close(self, request: web.Request) -> web.Response:
        """The account is gone with its keys, as if it had never been."""
        self.bank.close_account(self._account(request))
        return web.json_response({})

    async def add_key(self, request: web.Request) -> web.Response:
        wanted = await _body(request)
        try:
            key, secret = self.bank.add_key(
                self._account(request),
                str(wanted.get("kind", "hmac")),
                dict(wanted.get("permissions", {})),
            )
        except (ValueError, TypeError) as error:
            raise Refusal(-1, f"expected kind and permissions: {error}") from error
        return web.json_response({"apiKey": key.api_key, "secretKey": secret, "kind": key.kind})

    async def change_key(self, request: web.Request) -> web.Response:
        """`{"permissions": {…}, "addresses": ["10.0.0.1"], "revoked": true}`"""
        owned = self.bank.keys.get(request.match_info["key"])
        if owned is None:
            raise Refusal(-1, "expected a known API key")
        _, key = owned
        wanted = await _body(request)
        unknown = set(wanted.get("permissions", {})) - set(key.permissions)
        if unknown:
            raise Refusal(-1, f"expected permissions of {', '.join(key.permissions)}")
        key.permissions |= wanted.get("permissions", {})
        key.addresses = list(wanted.get("addresses", key.addresses))
        key.is_revoked = bool(wanted.get("revoked", key.is_revoked))
        self.bank.changed()
        return web.json_response({"permissions": key.permissions, "revoked": key.is_revoked})

    async def move(self, request: web.Request) -> web.Response:
        """`{"kind": "deposit", "asset": "USDT", "amount": "10", "market": "spot"}`; usdm and
        funding are the other wallets."""
        wanted = await _body(request)
        kind, market = str(wanted.get("kind", "deposit")), str(wanted.get("market", SPOT))
        if kind not in {"deposit", "withdrawal"} or market not in {SPOT, USDM, FUNDING}:
            raise Refusal(-1, "expected kind deposit or withdrawal, market spot, usdm or funding")
        try:
            amount = to_units(str(wanted.get("amount", "0")))
        except ValueError as error:
            raise Refusal(-1, "expected amount as decimal text") from error
        signed = amount if kind == "deposit" else -amount
        asset, now = str(wanted.get("asset", "USDT")), self.bank.now_ms()
        account = self._account(request)
        held = {
            SPOT: account.holding(asset).free,
            USDM: account.wallet.get(asset, 0),
            FUNDING: account.funding.get(asset, 0),
        }[market]
        if held + signed < 0:
            raise Refusal(-1, f"expected at most {to_text(held)}")
        moved = Movement(kind, self.bank.next_id(), now, asset, signed)
        if market == USDM:  # told as income: the spot wallet never had it
            moved.kind = "income"
            moved.details = {
                "symbol": "",
                "incomeType": "TRANSFER",
                "info": "TRANSFER",
                "tradeId": "",
            }
        if market == FUNDING:
            moved.details = {"wallet": 1}
        self.bank.move(account, moved, market)
        return web.json_response({"id": moved.id})

    async def truth(self, request: web.Request) -> web.Response:
        return web.json_response(truth(self._account(request)))

    def _account(self, request: web.Request) -> Account:
        account = self.bank.accounts.get(int(request.match_info["uid"]))
        if account is None:
            raise Refusal(-1, "expected the uid of an account", 404)
        return account

    def _shown(self, account: Account) -> dict[str, object]:
        return {
            "uid": account.uid,
            "name": account.name,
            "fills": len(account.fills),
            "balances": {a: to_text(h.total) for a, h in account.holdings.items() if h.total},
            "futures": {asset: to_text(amount) for asset, amount in account.wallet.items()},
            "keys": [
                {
                    "apiKey": key.api_key,
                    "kind": key.kind,
                    "permissions": key.permissions,
                    "revoked": key.is_revoked,
                    "secretKey": key.secret if key.kind == "hmac" else None,
                }
                for key in account.keys
            ],
        }


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read() or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal(-1, "expected a JSON object") from error
    if not isinstance(body, dict):
        raise Refusal(-1, "expected a JSON object")
    return body
