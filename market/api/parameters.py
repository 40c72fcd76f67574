"""Query parameters of the CVD endpoints, each with a sentence that says what was expected."""

import time
from decimal import Decimal
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from lib.dates import INTERVALS, ceil_to, parse_moment
from lib.openapi import MOMENT
from market.models import Instrument

MOST_BARS = 10_000
# 2200-01-01
LATEST_MS = 7_258_118_400_000
AUTO_BARS = 1500
PAGE_BARS = 500
CHOICES = (*INTERVALS, "auto")


@extend_schema_field({"type": "string", "pattern": MOMENT})
class MomentField(serializers.Field[int, str, int, Any]):
    """ISO 8601 or epoch milliseconds -> epoch milliseconds."""

    def to_internal_value(self, data: str) -> int:
        try:
            # a `+` in an unescaped zone arrives as a space
            moment = parse_moment(data.replace(" ", "+"))
            if not 0 <= moment < LATEST_MS:
                raise ValueError("Expected a moment between 1970 and 2200.")
            return moment
        except (ValueError, OverflowError) as error:
            raise serializers.ValidationError(str(error)) from error

    def to_representation(self, value: int) -> int:
        return value


class InstrumentParameters(serializers.Serializer[dict[str, Any]]):
    """Which tape."""

    symbol = serializers.CharField(max_length=40, help_text="For example BTCUSDT.")
    market = serializers.ChoiceField(choices=["spot", "usdm"], default="spot")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        symbol = attrs["symbol"].upper()
        instrument = Instrument.objects.filter(
            venue=settings.VENUE, market=attrs["market"], symbol=symbol
        ).first()
        if instrument is None:
            raise serializers.ValidationError(
                {"symbol": f"Expected a followed {attrs['market']} symbol, was {symbol!r}."}
            )
        attrs["instrument"] = instrument
        return attrs


class TapeParameters(InstrumentParameters):
    """Which tape, grain and unit."""

    interval = serializers.ChoiceField(choices=CHOICES, default="1m")
    unit = serializers.ChoiceField(
        choices=["trade", "order"],
        default="trade",
        help_text="Bands by single trade, or by taker order (sweep).",
    )


class BigOrdersParameters(InstrumentParameters):
    minimum = serializers.DecimalField(
        max_digits=20,
        decimal_places=8,
        min_value=Decimal(0),
        default=Decimal(0),
        help_text="In the quote asset.",
    )


class RealtimeParameters(TapeParameters):
    minutes = serializers.IntegerField(min_value=1, max_value=1440, default=60)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        span_ms = attrs["minutes"] * 60_000
        attrs["interval"] = grain_for(attrs["interval"], span_ms)
        _check_count(attrs["interval"], span_ms)
        return attrs


class RangeParameters(TapeParameters):
    """`start` and `end`, or a page: the `limit` bars before `before` (default: now)."""

    start = MomentField(required=False, help_text="Inclusive; ISO 8601 or epoch ms.")
    end = MomentField(required=False, help_text="Exclusive; ISO 8601 or epoch ms.")
    before = MomentField(required=False, help_text="With limit: bars that open before this.")
    limit = serializers.IntegerField(
        min_value=1,
        max_value=MOST_BARS,
        required=False,
        help_text="How many bars, for paging back.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if "limit" in attrs or "before" in attrs:
            return _page(attrs)
        for name in ("start", "end"):
            if name not in attrs:
                raise serializers.ValidationError({name: "Expected start and end, or limit."})
        if attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"end": "Expected a time after start."})
        attrs["interval"] = grain_for(attrs["interval"], attrs["end"] - attrs["start"])
        _check_count(attrs["interval"], attrs["end"] - attrs["start"])
        return attrs


def _page(attrs: dict[str, Any]) -> dict[str, Any]:
    """The bars before a moment, as many as asked for (the grain's own open times count)."""
    if "start" in attrs or "end" in attrs:
        raise serializers.ValidationError({"limit": "Expected start and end, or limit and before."})
    if attrs["interval"] == "auto":
        raise serializers.ValidationError({"interval": "Expected a grain together with limit."})
    length = INTERVALS[attrs["interval"]]
    length_ms, now_ms = length * 1000, int(time.time() * 1000)
    before = min(attrs.get("before", now_ms), now_ms + length_ms)
    end = ceil_to(-(-before // 1000), length) * 1000
    return {**attrs, "start": max(0, end - attrs.get("limit", PAGE_BARS) * length_ms), "end": end}


def grain_for(interval: str, span_ms: int) -> str:
    """`auto` is the finest grain from 1m up that gives at most AUTO_BARS bars."""
    if interval != "auto":
        return interval
    for name, seconds in INTERVALS.items():
        if seconds >= 60 and span_ms // 1000 <= AUTO_BARS * seconds:
            return name
    return "1d"


def _check_count(interval: str, span_ms: int) -> None:
    count = span_ms // 1000 // INTERVALS[interval]
    if count > MOST_BARS:
        raise serializers.ValidationError(
            {
                "interval": f"Expected at most {MOST_BARS} bars, was {count}: ask for a longer "
                "interval, a shorter range, or interval=auto."
            }
        )
