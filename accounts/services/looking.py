"""A look at an account with a key: each question in turn, each check by its name."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import redis
from django.conf import settings

from accounts.services import valuation
from market.binance.account import AccountRest
from market.binance.budgets import governors
from market.binance.errors import BadKey, ClockDiffers, ExchangeError, MustWait, Refused
from market.binance.signing import Addresses, Credentials
from market.hot import store

# More than this and Binance refuses signed requests now and then.
CLOCK_MS = 1000
# What a journal has no use for, and a thief has.
DANGEROUS = (
    "enableWithdrawals",
    "enableInternalTransfer",
    "permitsUniversalTransfer",
)


@dataclass
class Check:
    """`name` is what was looked at; `outcome` ok, note (shown, not refused) or bad."""

    name: str
    outcome: str
    detail: str = ""

    def as_json(self) -> dict[str, str]:
        return {"name": self.name, "outcome": self.outcome, "detail": self.detail}


@dataclass
class Findings:
    checks: list[Check] = field(default_factory=list)
    problem: str = ""
    uid: int | None = None
    permissions: dict[str, Any] = field(default_factory=dict)
    snapshot: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, outcome: str, detail: str = "") -> None:
        self.checks.append(Check(name, outcome, detail[:300]))

    def bad(self, name: str, problem: str, detail: str = "") -> "Findings":
        self.add(name, "bad", detail)
        self.problem = self.problem or problem
        return self


async def look(opened: Credentials) -> Findings:
    """What a key may do and shows; it is forgotten then."""
    return await _with(opened, _look_at_all)


async def look_at_rights(opened: Credentials) -> Findings:
    """What a key may do alone; it is forgotten then."""
    return await _with(opened, _look_at_rights)


Look = Callable[[AccountRest, Findings], Awaitable[object]]


async def _with(opened: Credentials, how: Look) -> Findings:
    findings = Findings()
    client = store.connect(settings.REDIS_URL)
    addresses = Addresses(settings.BINANCE_SPOT_API_URL, settings.BINANCE_FUTURES_API_URL)
    try:
        async with aclosing(AccountRest(addresses, opened, governors(client))) as rest:
            await how(rest, findings)
    except ValueError as error:
        findings.bad("signature", "signature", str(error))
    finally:
        opened.api_key.wipe()
        opened.secret.wipe()
        await client.aclose()
    return findings


async def _look_at_rights(rest: AccountRest, findings: Findings) -> dict[str, Any] | None:
    """What the key may do; None where that ends it."""
    try:
        offset = await rest.measure_clock()
    except (ExchangeError, redis.RedisError) as error:
        findings.bad("reachable", "unreachable", str(error))
        return None
    findings.add("clock", "ok" if abs(offset) < CLOCK_MS else "note", f"{offset:+.0f} ms")
    may: dict[str, Any] | None = await _ask(findings, "key exists", rest.permissions)
    if may is None:
        return None
    findings.add("key exists", "ok")
    findings.add("signature", "ok")
    findings.permissions = may
    bound = bool(may.get("ipRestrict"))
    findings.add("ip restriction", "ok" if bound else "note", "" if bound else "none")
    dangerous = [name for name in DANGEROUS if may.get(name)]
    if dangerous:
        findings.bad("no withdrawals", "may_withdraw", ", ".join(dangerous))
        return None
    findings.add("no withdrawals", "ok")
    if not may.get("enableReading"):
        findings.bad("reading", "no_reading")
        return None
    findings.add("reading", "ok")
    return may


async def _look_at_all(rest: AccountRest, findings: Findings) -> None:
    """Each question in turn; what the first refusals mean ends it."""
    may = await _look_at_rights(rest, findings)
    if may is None:
        return
    account = await _ask(findings, "spot", rest.account)
    if account is None:
        return
    findings.uid = int(account["uid"])
    findings.add("spot", "ok")
    await _look_at_futures(rest, findings, bool(may.get("enableFutures")))
    trades = bool(may.get("enableSpotAndMarginTrading"))
    findings.add("trading", "note" if trades else "ok", "on" if trades else "off")
    orders = await _ask(findings, "open orders", rest.open_orders)
    prices = await _ask(findings, "prices", rest.prices)
    if orders is not None and prices is not None:
        findings.snapshot = valuation.snapshot(account["balances"], orders, prices)


async def _look_at_futures(rest: AccountRest, findings: Findings, is_allowed: bool) -> None:
    if not is_allowed:
        findings.add("futures", "note", "off")
        return
    try:  # a key made before futures were opened has no futures rights
        await rest.futures_account()
        findings.add("futures", "ok")
    except (ExchangeError, redis.RedisError) as error:
        findings.add("futures", "note", str(error))


async def _ask(findings: Findings, name: str, ask: Callable[[], Awaitable[Any]]) -> Any:
    """The answer, or None and what is wrong."""
    try:
        return await ask()
    except BadKey as error:
        if error.code == -1022:
            findings.add("key exists", "ok")
            findings.bad("signature", "signature", str(error))
        else:
            findings.bad(name, "bad_key", str(error))
    except ClockDiffers as error:
        findings.bad("clock", "clock", str(error))
    except Refused as error:
        findings.bad(name, "refused", str(error))
    except MustWait as error:
        findings.bad(name, "busy", str(error))
    except (ExchangeError, redis.RedisError) as error:
        findings.bad(name, "unreachable", str(error))
    return None
