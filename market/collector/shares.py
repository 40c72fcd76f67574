"""Which collector keeps which tapes: shares of the followed instruments, one lease each.

There are as many shares as collector workers, more when a share would grow too large, never more
than instruments. An instrument's share is chosen by rendezvous hashing, so when a worker comes or
goes only the tapes that must move do.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from market.collector import lease
from market.collector.tapes import Followed
from market.following import find_followed
from market.instruments import InstrumentKey
from market.models import CollectorWorker

BEAT_SECONDS = 5.0
GONE_AFTER = timedelta(seconds=20)
STANDBY = ":standby"


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
    count = count_shares(len(find_followed()), count_workers())
    shares = [f"{settings.VENUE}:spot:{index}" for index in range(count)]
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
    followed = find_followed()
    count = count_shares(len(followed), count_workers())
    mine = index_of(share)
    kept = []
    for item in followed:
        home = home_of(item.key, count)
        if home == mine or (
            item.key in having and not lease.is_held(f"{settings.VENUE}:spot:{home}")
        ):
            kept.append(item)
    return kept


def index_of(share: str) -> int:
    return int(share.removesuffix(STANDBY).rpartition(":")[2])


def _weight(key: InstrumentKey, index: int) -> bytes:
    return hashlib.blake2b(f"{key}/{index}".encode(), digest_size=8).digest()
