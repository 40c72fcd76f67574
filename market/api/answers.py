"""The shape of a CVD answer, for OpenAPI and for its making."""

import contextlib
from collections.abc import Sequence

from rest_framework import serializers

from market import answers
from market.answers import bands_answer, bar_answer, with_cvd
from market.api.wishes import FETCHING, RETRY_MS, Missing
from market.flow.bands import SETS
from market.flow.bars import Bar
from market.flow.cumulative import Unit, cumulative
from market.flow.detail import Detail
from market.models import Instrument
from market.selectors.span import Span


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
    detail = serializers.ChoiceField(
        choices=["full", "order", "total"],
        help_text="Bands of both units, of taker orders only, or none (the exchange's candle).",
    )
    trades_of = serializers.ChoiceField(
        choices=["trades", "aggregates"], help_text="What `trades` counts."
    )
    bands = serializers.DictField(
        child=BandAnswer(),
        allow_null=True,
        help_text="Null where they are not known in this unit; their CVD runs on behind that.",
    )


class MissingAnswer(serializers.Serializer[object]):
    locals()["from"] = serializers.IntegerField(help_text="Epoch ms, inclusive.")
    to = serializers.IntegerField(help_text="Epoch ms, exclusive.")
    state = serializers.ChoiceField(choices=["fetching", "refused", "none"])
    reason = serializers.CharField(allow_null=True)


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
    trades_of = serializers.ChoiceField(choices=["trades", "aggregates", "mixed"])
    missing = MissingAnswer(
        many=True, help_text="Closed times of which no complete bar is known, and why."
    )
    retry_ms = serializers.IntegerField(
        allow_null=True, help_text="Ask the same again after so long: something is being fetched."
    )
    bars = BarAnswer(many=True)


# Answers of closed bars, which are asked for again and again; all but what depends on the anchor.
Said = tuple[answers.BarAnswer, dict[str, answers.BandAnswer] | None]
_said: dict[tuple[object, ...], Said] = {}
MOST_REMEMBERED = 20_000


def _remember(key: tuple[object, ...], answer: Said) -> None:
    while len(_said) >= MOST_REMEMBERED:
        with contextlib.suppress(KeyError, RuntimeError):  # another thread was faster
            del _said[next(iter(_said))]
    _said[key] = answer


def cvd_answer(
    instrument: Instrument, interval: str, unit: Unit, span: Span, missing: Sequence[Missing]
) -> dict[str, object]:
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
            bar.detail,
        )
        answer = _said.get(key)
        if answer is None:
            whole = bar_answer(bar, closed=closed, complete=complete)
            whole["trades_of"] = _trades_of(instrument, bar)
            answer = whole, bands_answer(bar, unit, bands)
            if closed:
                _remember(key, answer)
        bars.append(with_cvd(*answer, line))
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
        "trades_of": _trades_of_all(instrument, span),
        "missing": [item.as_answer() for item in missing],
        "retry_ms": RETRY_MS if any(item.state == FETCHING for item in missing) else None,
        "bars": bars,
    }


def _trades_of(instrument: Instrument, bar: Bar) -> str:
    """A future's tape counts aggregates, its candles count single trades."""
    is_counted = instrument.key.is_aggregated and bar.detail == Detail.ORDER
    return "aggregates" if is_counted else "trades"


def _trades_of_all(instrument: Instrument, span: Span) -> str:
    words = {_trades_of(instrument, bar) for bar in span.bars}
    if len(words) > 1:
        return "mixed"
    return words.pop() if words else "trades"
