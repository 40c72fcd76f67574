"""Which stretches of a tape are proven whole: what the collector covers, and what was imported."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max

from market.archive import seconds
from market.models import CoveredSpan, Instrument, PastNews


class Stretch(NamedTuple):
    """Ids first..last, all of them, and the exchange's time (epoch ms) that they cover."""

    first_id: int
    last_id: int
    from_ms: int
    to_ms: int

    def joins(self, other: "Stretch") -> bool:
        """No id lies between them."""
        return self.first_id <= other.last_id + 1 and other.first_id <= self.last_id + 1

    def joined(self, other: "Stretch") -> "Stretch":
        return Stretch(
            min(self.first_id, other.first_id),
            max(self.last_id, other.last_id),
            min(self.from_ms, other.from_ms),
            max(self.to_ms, other.to_ms),
        )


@transaction.atomic
def add(instrument_id: int, stretches: Sequence[Stretch]) -> None:
    """Remember them, joined with what was known: the time between two joined ones is covered."""
    Instrument.objects.select_for_update().get(pk=instrument_id)  # one writer at a time
    known = [
        Stretch(*row)
        for row in CoveredSpan.objects.filter(instrument_id=instrument_id).values_list(
            "first_id", "last_id", "from_ms", "to_ms"
        )
    ]
    joined: list[Stretch] = []
    for stretch in sorted([*known, *stretches]):
        if joined and joined[-1].joins(stretch):
            joined[-1] = joined[-1].joined(stretch)
        else:
            joined.append(stretch)
    CoveredSpan.objects.filter(instrument_id=instrument_id).delete()
    CoveredSpan.objects.bulk_create(
        CoveredSpan(instrument_id=instrument_id, **stretch._asdict()) for stretch in joined
    )
    PastNews.objects.bulk_create(
        PastNews(
            instrument_id=instrument_id, start=item.from_ms // 1000, end=item.to_ms // 1000 + 1
        )
        for item in stretches
    )


def extend(instrument_id: int, opens: int, closes: int, near_ms: int) -> None:
    """Between these times (epoch ms) nothing was traded: a stretch that ends where they begin, or
    begins where they end, covers them too."""
    spans = CoveredSpan.objects.filter(instrument_id=instrument_id)
    spans.filter(to_ms__gte=opens - near_ms, to_ms__lt=closes, from_ms__lt=opens).update(
        to_ms=closes
    )
    spans.filter(from_ms__lte=closes + near_ms, from_ms__gt=opens, to_ms__gt=closes).update(
        from_ms=opens
    )


def keep_live(instrument_id: int, last_id: int, from_ms: int, to_ms: int) -> None:
    """What a collector has covered so far stays covered, though it goes on somewhere else."""
    if to_ms <= from_ms:
        return  # let go before the exchange confirmed anything
    first_id = seconds.first_id(instrument_id, from_ms // 1000)
    if first_id is not None and first_id <= last_id:
        add(instrument_id, [Stretch(first_id, last_id, from_ms, to_ms)])


def times(
    instrument_id: int, live: tuple[int, int] | None, start_ms: int = 0, end_ms: int = 2**62
) -> list[tuple[int, int]]:
    """Covered times (epoch ms) that touch start to end, oldest first, none touching another; `live`
    is the collector's."""
    spans = list(
        CoveredSpan.objects.filter(
            instrument_id=instrument_id, to_ms__gte=start_ms, from_ms__lte=end_ms
        ).values_list("from_ms", "to_ms")
    )
    result: list[tuple[int, int]] = []
    for start, end in sorted([*spans, live] if live else spans):
        if result and start <= result[-1][1]:
            result[-1] = result[-1][0], max(end, result[-1][1])
        else:
            result.append((start, end))
    return result


def newest(instrument_id: int) -> int:
    """How far (epoch ms) anything is covered; 0 where nothing is."""
    spans = CoveredSpan.objects.filter(instrument_id=instrument_id)
    end: int | None = spans.aggregate(end=Max("to_ms"))["end"]
    return end or 0


def without(known: Sequence[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """The same times but for those between start and end."""
    parts = [part for a, b in known for part in ((a, min(b, start)), (max(a, end), b))]
    return sorted({(a, b) for a, b in parts if a < b})
