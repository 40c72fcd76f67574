"""What the wallets hold now: spot, funding and Earn. Binance lists a coin in flexible Earn among
those of spot, under a name of its own (LDBTC), which is the coin itself in another wallet."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.utils.translation import gettext_noop as _

from journal.models import Sync, Wallet
from journal.sync.run import Run
from journal.sync.saving import save_balances
from lib.cash import own_name
from market.binance.errors import ClockDiffers, MustWait, Refused, TryAgain

log = structlog.get_logger(__name__)

FUNDING = "/sapi/v1/asset/get-funding-asset"
FLEXIBLE = "/sapi/v1/simple-earn/flexible/position"
LOCKED = "/sapi/v1/simple-earn/locked/position"
REFUSED_FOR = timedelta(hours=1)
# They weigh much, and no stream tells of them.
AGAIN_AFTER = timedelta(minutes=10)
SIZE = 100
MOST_PAGES = 100
ZERO = Decimal(0)
# (free, locked) of each asset
Held = dict[str, tuple[Decimal, Decimal]]


def read_spot(run: Run) -> None:
    """Coins of spot; those under an Earn name only where Earn itself cannot be read."""
    now = run.reader.exchange_now()
    answer = run.reader.read("/api/v3/account", omitZeroBalances=True)
    held: Held = {}
    lent: Held = {}
    for item in answer["balances"]:
        asset = item["asset"]
        side = held if own_name(asset) == asset else lent
        side[own_name(asset)] = Decimal(item["free"]), Decimal(item["locked"])
    save_balances(run.account, Wallet.SPOT, held, now, is_whole=True)
    if Wallet.EARN.value in _unreadable(run):
        save_balances(run.account, Wallet.EARN, lent, now, is_whole=True)


def read_others(run: Run) -> None:
    """Funding and Earn, before spot. What the exchange does not let us read is noted, stops nothing
    and is asked for again after an hour; all of them every ten minutes at most."""
    asked_at = Sync.objects.values_list("wallets_at", flat=True).get(account=run.account)
    if asked_at is not None and asked_at > run.now - AGAIN_AFTER:
        return
    run.say(_("Reading the other wallets"))
    Sync.objects.filter(account=run.account).update(wallets_at=run.now)
    refused = {
        wallet
        for wallet, (_said, at) in _unreadable(run).items()
        if datetime.fromisoformat(at) > run.now - REFUSED_FOR
    }
    for wallet, ask in ((Wallet.FUNDING, _funding), (Wallet.EARN, _earn)):
        if wallet.value in refused:
            continue
        now = run.reader.exchange_now()
        try:
            held = ask(run)
        except ClockDiffers:
            raise
        except (Refused, TryAgain, MustWait) as error:
            log.warning("wallet not readable", wallet=wallet.value, error=str(error)[:100])
            _note(run, wallet, str(error)[:200])
            continue
        _note(run, wallet, "")
        save_balances(run.account, wallet, held, now, is_whole=True)


def _funding(run: Run) -> Held:
    return {
        item["asset"]: (
            Decimal(item["free"]),
            sum(
                (Decimal(item.get(name) or "0") for name in ("locked", "freeze", "withdrawing")),
                ZERO,
            ),
        )
        for item in run.reader.read_once(FUNDING)
    }


def _earn(run: Run) -> Held:
    """Flexible positions can be taken out at once, locked ones not."""
    free: dict[str, Decimal] = {}
    locked: dict[str, Decimal] = {}
    for item in _positions(run, FLEXIBLE):
        free[item["asset"]] = free.get(item["asset"], ZERO) + Decimal(item["totalAmount"])
    for item in _positions(run, LOCKED):
        locked[item["asset"]] = locked.get(item["asset"], ZERO) + Decimal(item["amount"])
    return {a: (free.get(a, ZERO), locked.get(a, ZERO)) for a in {*free, *locked}}


def _positions(run: Run, path: str) -> Iterator[Any]:
    for number in range(1, MOST_PAGES + 1):
        page = run.reader.read_once(path, current=number, size=SIZE)["rows"]
        yield from page
        if len(page) < SIZE:
            return


def _unreadable(run: Run) -> dict[str, Any]:
    return dict(Sync.objects.values_list("unreadable", flat=True).get(account=run.account))


def _note(run: Run, wallet: Wallet, reason: str) -> None:
    known = _unreadable(run)
    if reason:
        known[wallet.value] = [reason, run.now.isoformat()]
    elif known.pop(wallet.value, None) is None:
        return
    Sync.objects.filter(account=run.account).update(unreadable=known)
