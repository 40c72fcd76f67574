"""Pinned seconds move from the tape's own bars to those of the past before retention takes them."""

from collections.abc import Sequence

import structlog

from market.archive import coverage
from market.archive import seconds as archive
from market.models import Gap, Instrument
from market.past import store
from market.past.spans import Stretch, merged, minus

log = structlog.get_logger(__name__)


def keep_seconds(instrument: Instrument, wanted: Sequence[Stretch]) -> int:
    """Of these stretches (epoch s) what the tape has whole; returns how many were kept. Run again
    it changes nothing."""
    if not wanted:
        return 0
    start, end = wanted[0][0], wanted[-1][1]
    detail = instrument.key.detail
    known = store.known(instrument.pk, store.SECOND, start, end, detail)
    kept = 0
    for a, b in minus(_whole(instrument, wanted), known):
        bars = archive.load(instrument.pk, a, b, instrument.band_set)
        least = min((bar.detail for bar in bars.values()), default=detail)
        own = [bars[at] for at in sorted(bars)]
        store.keep(instrument.pk, instrument.band_set, store.SECOND, least, own, [(a, b)])
        kept += 1
    if kept:
        log.info("seconds pinned", tape=str(instrument.key), stretches=kept)
    return kept


def _whole(instrument: Instrument, wanted: Sequence[Stretch]) -> list[Stretch]:
    """What of it the tape covers without an open gap."""
    start, end = wanted[0][0], wanted[-1][1]
    state = archive.load_state(instrument.pk)
    live = (state.covered_from, state.covered_to) if state else None
    covered = coverage.times(instrument.pk, live, start * 1000, end * 1000)
    inside = merged((-(-first // 1000), last // 1000) for first, last in covered)
    open_gaps = [
        (gap.from_ms // 1000, gap.to_ms // 1000 + 1)
        for gap in Gap.objects.filter(
            instrument=instrument,
            state=Gap.State.OPEN,
            to_ms__gte=start * 1000,
            from_ms__lt=end * 1000,
        )
    ]
    whole = minus(inside, merged(open_gaps))
    return merged((max(a, c), min(b, d)) for a, b in wanted for c, d in whole)
