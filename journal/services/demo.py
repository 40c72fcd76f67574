"""Demo data: an account of one's own at the simulator with a year behind it, connected like any
other and removed with one click; a part of its trades is reviewed, as a trader would."""

import asyncio
import random
from datetime import timedelta
from typing import Any

import aiohttp
import structlog
from django.conf import settings
from django.db import transaction

from accounts.models import ExchangeAccount, User
from accounts.services import connecting
from journal.models import Annotation, Preferences, Setup, Tag, Trade
from journal.selectors.preferences import preferences_of
from journal.services import annotating
from lib.secret import Secret

log = structlog.get_logger(__name__)

LABEL = "Demo"
TIMEOUT_SECONDS = 30
WANTED, ADDED, TOLD, REMOVED = "wanted", "added", "told", "removed"
SETUPS = {
    "Pullback with flow": [
        "Trend on the hour is clear",
        "Delta turned before the entry",
        "Stop below the last low",
    ],
    "Breakout": ["Range of at least an hour", "Big orders on my side", "No news due"],
    "Fade": ["Price stretched from VWAP", "CVD does not confirm"],
}
TAGS = ("A+", "scalp", "news", "overnight", "plan followed")
MISTAKES = ("entered late", "no stop", "too large", "closed too early", "revenge trade")
NOTES = (
    "Waited for the retest and took it. Exit on the first hesitation.",
    "Chased it. The move was over when I clicked.\n\n- next time: limit order at the level",
    "Good patience. **Size was right.**",
    "Stopped thinking after the first loss. Walk away earlier.",
    "Followed the plan, market did not.",
)


def is_possible() -> bool:
    """Demo data lives at the simulator: it never mixes with a real exchange's."""
    return bool(settings.BINANCE == "simulator")


def want(user: User) -> None:
    Preferences.objects.filter(user=preferences_of(user).user).update(demo=WANTED)


@transaction.atomic
def remove(user: User) -> None:
    """The account and all that hangs on it, notes too."""
    for account in ExchangeAccount.objects.visible_to(user).filter(label=LABEL):
        keys = Trade.objects.filter(account=account).values("key")
        Annotation.objects.filter(user=user, trade_key__in=keys).delete()
        connecting.disconnect(account=account, user=user, with_data=True)
    Preferences.objects.filter(user=user).update(demo=REMOVED)


def connect_wanted() -> list[ExchangeAccount]:
    """Open and connect what was asked for; the user `demo` need not ask. Returns the accounts to
    be looked at."""
    first = User.objects.filter(username="demo").first()
    if first is not None and preferences_of(first).demo == "":
        want(first)
    made = []
    for chosen in Preferences.objects.filter(demo=WANTED).select_related("user"):
        try:
            opened = asyncio.run(_open(chosen.user))
            made.append(
                connecting.connect(
                    user=chosen.user,
                    label=LABEL,
                    api_key=Secret(opened["apiKey"]),
                    secret=Secret(opened["secretKey"]),
                )
            )
        except (aiohttp.ClientError, OSError, TimeoutError, KeyError, IndexError) as error:
            log.warning("demo not opened", error=type(error).__name__)
            continue
        except connecting.CannotConnect as error:
            log.warning("demo not connected", error=str(error))
        Preferences.objects.filter(pk=chosen.pk).update(demo=ADDED)
    return made


async def _open(user: User) -> dict[str, Any]:
    """An account of the user's own, with the same year as the simulator's account `demo`."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    # it may trade there: nothing is at stake, and off is off until it is switched on
    permissions = {"enableSpotAndMarginTrading": True}
    body = {"name": f"demo of {user.pk}", "year": 1, "permissions": permissions}
    address = f"{settings.BINANCE_SPOT_API_URL}/simulator/accounts"
    async with (
        aiohttp.ClientSession(timeout=timeout, raise_for_status=True) as session,
        session.post(address, json=body) as answer,
    ):
        found: dict[str, Any] = await answer.json()
        return found


def review_some(user: User, account: ExchangeAccount) -> int:
    """Write on most of the trades but the newest, the same each time."""
    rng = random.Random(f"notes {user.pk}")  # noqa: S311  (no secret)
    for name, rules in SETUPS.items():
        Setup.objects.get_or_create(user=user, name=name, defaults={"rules": rules})
    trades = list(
        Trade.objects.filter(account=account, closed_at__isnull=False).order_by("opened_at")
    )
    newest = trades[-1].closed_at if trades else None
    count = 0
    for trade in trades:
        assert trade.closed_at is not None
        assert newest is not None
        if rng.random() > 0.75 or trade.closed_at > newest - timedelta(days=10):
            continue
        annotating.annotate(user=user, trade=trade, changes=_written(rng, trade))
        count += 1
    Tag.objects.filter(user=user, annotations=None).delete()
    return count


def _written(rng: random.Random, trade: Trade) -> dict[str, Any]:
    """A stop one to four percent away, and what a tired trader notes."""
    sign = 1 if trade.direction == "LONG" else -1
    distance = trade.entry_price * rng.randint(10, 40) / 1000
    stop = trade.entry_price - sign * distance
    found: dict[str, Any] = {
        "setup": rng.choice(list(SETUPS)),
        "planned_stop": f"{stop:.8f}",
        "planned_target": f"{trade.entry_price + sign * distance * 2:.8f}",
        "rating": rng.randint(1, 5),
        "emotion": rng.choice(annotating.EMOTIONS),
        "tags": rng.sample(TAGS, rng.randint(0, 2)),
        "reviewed": True,
    }
    if trade.net < 0 and rng.random() < 0.5:
        found["mistakes"] = [rng.choice(MISTAKES)]
    if rng.random() < 0.4:
        found["note"] = rng.choice(NOTES)
    return found
