"""What a made-up trader wrote on a made-up year: a part of its trades is reviewed, as one would."""

import random
from datetime import timedelta
from typing import Any

from accounts.models import ExchangeAccount, User
from journal.models import Setup, Tag, Trade
from journal.services import annotating

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
# each rule so often
RULES_KEPT = 0.75


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
    setup = rng.choice(list(SETUPS))
    kept = [number for number in range(len(SETUPS[setup])) if rng.random() < RULES_KEPT]
    sign = 1 if trade.direction == "LONG" else -1
    distance = trade.entry_price * rng.randint(10, 40) / 1000
    stop = trade.entry_price - sign * distance
    written: dict[str, Any] = {
        "setup": setup,
        "rules_kept": kept,
        "planned_stop": f"{stop:.8f}",
        "planned_target": f"{trade.entry_price + sign * distance * 2:.8f}",
        "rating": rng.randint(1, 5),
        "emotion": rng.choice(annotating.EMOTIONS),
        "tags": rng.sample(TAGS, rng.randint(0, 2)),
        "reviewed": True,
    }
    if trade.net < 0 and rng.random() < 0.5:
        written["mistakes"] = [rng.choice(MISTAKES)]
    if rng.random() < 0.4:
        written["note"] = rng.choice(NOTES)
    return written
