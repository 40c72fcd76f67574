"""The shape of a CVD answer, for OpenAPI and for its making."""

import contextlib

from rest_framework import serializers

from market import answers
from market.answers import bands_answer, bar_answer, with_cvd
from market.flow.bands import SETS
from market.flow.cumulative import Unit, cumulative
from market.models import Instrument
from market.selectors.reading import Span


class BandAnswer(serializers.Serializer[object]):
    buy = serializers.CharField()
    sell = serializers.CharField()
    count = serializers.IntegerField()
    delta = serializers.CharField()
    cvd = serializers.CharField()


class BarAnswer(serializers.Serializer[object]):
    t = serializers.IntegerField(help_text="Open time, epoch ms.")
    closed = serializers.BooleanField()
    complete = serializers.BooleanField()
    open = serializers.CharField()
    high = serializers.CharField()
    low = serializers.CharField()
    close = serializers.CharField()
    trades = serializers.IntegerField()
    first_id = serializers.IntegerField(allow_null=True)
    last_id = serializers.IntegerField(allow_null=True)
    buy = serializers.CharField(help_text="Bought by takers, in quote.")
    sell = serializers.CharField(help_text="Sold by takers, in quote.")
    base_buy = serializers.CharField()
    base_sell = serializers.CharField()
    delta = serializers.CharField()
    cvd = serializers.CharField(help_text="Accumulated from the first bar of the answer.")
    bands = serializers.DictField(child=BandAnswer())


class BigOrderAnswer(serializers.Serializer[object]):
    t = serializers.IntegerField(help_text="Epoch ms.")
    side = serializers.ChoiceField(choices=["BUY", "SELL"])
    value = serializers.CharField(help_text="The whole taker order, in quote.")
    price = serializers.CharField(allow_null=True, help_text="Of its last trade.")


class CvdAnswer(serializers.Serializer[object]):
    symbol = serializers.CharField()
    market = serializers.CharField()
    venue = serializers.CharField()
    interval = serializers.CharField()
    unit = serializers.CharField()
    source = serializers.ChoiceField(choices=["hot", "archive", "both"])  # type: ignore[assignment]
    complete = serializers.BooleanField()
    approximate = serializers.BooleanField(
        required=False, help_text="Only on futures: orders are guessed from aggregates."
    )
    gaps = serializers.ListField(child=serializers.DictField())
    bars = BarAnswer(many=True)


# Answers of closed bars, which are asked for again and again; all but what depends on the anchor.
_said: dict[tuple[object, ...], tuple[answers.BarAnswer, dict[str, answers.BandAnswer]]] = {}
MOST_REMEMBERED = 20_000


def _remember(
    key: tuple[object, ...], said: tuple[answers.BarAnswer, dict[str, answers.BandAnswer]]
) -> None:
    while len(_said) >= MOST_REMEMBERED:
        with contextlib.suppress(KeyError, RuntimeError):  # another thread was faster
            del _said[next(iter(_said))]
    _said[key] = said


def cvd_answer(instrument: Instrument, interval: str, unit: Unit, span: Span) -> dict[str, object]:
    """The contract's answer; money is exact decimal text."""
    bands = SETS[instrument.band_set]
    lines = cumulative(span.bars, unit)
    bars = []
    for bar, line in zip(span.bars, lines, strict=True):
        closed, complete = span.is_closed(bar), span.is_complete(bar)
        key = (
            instrument.pk,
            span.seconds,
            unit,
            bar.time,
            bar.revision,
            bar.trades,
            bar.last_id,
            bar.quote_buy,
            bar.quote_sell,
            closed,
            complete,
        )
        said = _said.get(key)
        if said is None:
            whole = bar_answer(bar, closed=closed, complete=complete)
            said = whole, bands_answer(bar, unit, bands)
            if closed:
                _remember(key, said)
        bars.append(with_cvd(*said, line))
    return {
        "symbol": instrument.symbol,
        "market": instrument.market,
        "venue": instrument.venue,
        "interval": interval,
        "unit": unit,
        "source": span.source,
        "complete": span.is_whole,
        # sweeps of aggregates of 100 ms: nearly, not exactly, the takers' orders
        **({"approximate": True} if instrument.key.is_aggregated else {}),
        "gaps": [gap.as_answer() for gap in span.gaps],
        "bars": bars,
    }
