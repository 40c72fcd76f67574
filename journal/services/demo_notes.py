"""What a made-up trader wrote on a made-up year: a part of its trades is reviewed, as one would."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max, Prefetch
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from journal.books.notes import refs_among
from journal.models import Annotation, Fill, Setup, Tag, Trade
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
# how much of it is reviewed, how often a rule is kept, a mistake admitted, a line written
REVIEWED, RULES_KEPT, ADMITTED, NOTED = 0.75, 0.75, 0.5, 0.4
# the newest trades wait for their review
NEWEST = timedelta(days=10)
PLACES = Decimal("1e-8")
BATCH = 1000


def review_some(user: User, account: ExchangeAccount) -> int:
    """Write on most of the trades but the newest, the same each time, and on none that its owner
    has written on. All at once: a visitor waits for it."""
    setups = {name: _setup(user, name, rules) for name, rules in SETUPS.items()}
    tags = {name: _tag(user, Tag.Kind.TAG, name) for name in TAGS}
    mistakes = {name: _tag(user, Tag.Kind.MISTAKE, name) for name in MISTAKES}
    rng = random.Random(f"notes {user.pk}")  # noqa: S311  (no secret)
    notes = []
    hung: list[tuple[Annotation, Tag]] = []
    for trade in _old_enough(user, account):
        if rng.random() > REVIEWED:
            continue
        note = _note(rng, user, trade, setups)
        notes.append(note)
        hung += [(note, tags[name]) for name in rng.sample(TAGS, rng.randint(0, 2))]
        if trade.net < 0 and rng.random() < ADMITTED:
            hung.append((note, mistakes[rng.choice(MISTAKES)]))
    with transaction.atomic():
        Annotation.objects.bulk_create(notes, BATCH)
        through: Any = Annotation.tags.through
        rows = [through(annotation_id=note.pk, tag_id=tag.pk) for note, tag in hung]
        through.objects.bulk_create(rows, BATCH)
    Tag.objects.filter(user=user, annotations=None).delete()
    return len(notes)


def _old_enough(user: User, account: ExchangeAccount) -> list[Trade]:
    closed = Trade.objects.filter(account=account, closed_at__isnull=False)
    newest = closed.aggregate(newest=Max("closed_at"))["newest"]
    if newest is None:
        return []
    written = Annotation.objects.filter(user=user).values("trade_key")
    fills = Fill.objects.order_by("time", "trade_id").only("symbol", "trade_id")
    return list(
        closed.filter(closed_at__lte=newest - NEWEST)
        .exclude(key__in=written)
        .order_by("opened_at", "pk")
        .prefetch_related(Prefetch("fills", fills))
    )


def _note(rng: random.Random, user: User, trade: Trade, setups: dict[str, Setup]) -> Annotation:
    """A stop one to four percent away, and what a tired trader notes."""
    setup = rng.choice(list(SETUPS))
    kept = [number for number in range(len(SETUPS[setup])) if rng.random() < RULES_KEPT]
    sign = 1 if trade.direction == "LONG" else -1
    distance = sign * trade.entry_price * rng.randint(10, 40) / 1000
    stop = (trade.entry_price - distance).quantize(PLACES)
    return Annotation(
        user=user,
        trade_key=trade.key,
        fills=refs_among(trade, trade.fills.all()),
        setup=setups[setup],
        rules_kept=kept,
        planned_stop=stop,
        initial_stop=stop,
        planned_target=(trade.entry_price + 2 * distance).quantize(PLACES),
        rating=rng.randint(1, 5),
        emotion=rng.choice(annotating.EMOTIONS),
        reviewed_at=timezone.now(),
        note=rng.choice(NOTES) if rng.random() < NOTED else "",
    )


def _setup(user: User, name: str, rules: list[str]) -> Setup:
    return Setup.objects.get_or_create(user=user, name=name, defaults={"rules": rules})[0]


def _tag(user: User, kind: str, name: str) -> Tag:
    return Tag.objects.get_or_create(user=user, kind=kind, name=name)[0]
