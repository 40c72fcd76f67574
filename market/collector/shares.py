"""Which collector keeps which tapes: shares of the followed instruments, one lease each.

A share is of one market: `venue:market:index`. A market has as many as there are collector workers,
more when a share would grow too large, never more than instruments. An instrument's share is chosen
by rendezvous hashing, so when a worker comes or goes only the tapes that must move do.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from market.instruments import Followed, InstrumentKey
from market.jobs import lease
from market.models import CollectorWorker
from market.services.following import find_followed

BEAT_SECONDS = 5.0
GONE_AFTER = timedelta(seconds=20)
STANDBY = ":standby"
MARKETS = ("spot", "usdm")


def beat(worker: str) -> None:
    """This worker takes shares."""
    CollectorWorker.objects.update_or_create(
        name=worker, defaults={"until": timezone.now() + GONE_AFTER}
    )
    CollectorWorker.objects.filter(until__lt=timezone.now() - timedelta(days=1)).delete()


def leave(worker: str) -> None:
    CollectorWorker.objects.filter(name=worker).delete()


def count_workers() -> int:
    return CollectorWorker.objects.filter(until__gte=timezone.now()).count()


def count_shares(instruments: int, workers: int) -> int:
    needed = -(-instruments // settings.COLLECTOR_SHARE_SYMBOLS)
    return max(1, min(instruments, max(needed, workers)))


def names() -> list[str]:
    """Every share that somebody should hold now, standbys behind their shares."""
    shares = [
        name_of(market, index)
        for market in MARKETS
        # spot has one even when nothing is followed: somebody must notice what is followed next
        if (followed := len(find_followed(market))) or market == "spot"
        for index in range(count_shares(followed, count_workers()))
    ]
    return shares + [share + STANDBY for share in shares if settings.COLLECTOR_STANDBY]


def quota() -> int:
    """How many shares a worker takes before it leaves the others to the others."""
    return -(-len(names()) // max(1, count_workers()))


def home_of(key: InstrumentKey, count: int) -> int:
    """The share of an instrument among `count`: the one with the highest hash of both."""
    return max(range(count), key=lambda index: _weight(key, index))


def members(share: str, having: Collection[InstrumentKey]) -> Sequence[Followed]:
    """What a share's collector keeps: its own instruments, and those it has whose new home nobody
    holds yet, so that a move leaves no second uncovered."""
    market = share.split(":")[1]
    followed = find_followed(market)
    count = count_shares(len(followed), count_workers())
    mine = index_of(share)
    kept = []
    for item in followed:
        home = home_of(item.key, count)
        if home == mine or (item.key in having and not lease.is_held(name_of(market, home))):
            kept.append(item)
    return kept


def name_of(market: str, index: int) -> str:
    return f"{settings.VENUE}:{market}:{index}"


def is_first(share: str) -> bool:
    """The share that is always there, even when nothing is followed."""
    return share.removesuffix(STANDBY) == name_of("spot", 0)


def index_of(share: str) -> int:
    return int(share.removesuffix(STANDBY).rpartition(":")[2])


def _weight(key: InstrumentKey, index: int) -> bytes:
    return hashlib.blake2b(f"{key}/{index}".encode(), digest_size=8).digest()
