"""Instruments, indicators, volume by price and marks over REST."""

from typing import Any

from django.conf import settings
from django.db.models import Case, Exists, OuterRef, Q, When
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lib.dates import INTERVALS
from lib.decimals import plain, text
from lib.openapi import Rows, gives
from market import indicators
from market.api.parameters import RangeParameters
from market.api.shapes import (
    IndicatorsAnswer,
    ListingRow,
    MarketRow,
    MarksAnswer,
    ProfileAnswer,
)
from market.models import Instrument, Listing
from market.selectors.overview import overview
from market.selectors.reading import read_span
from market.selectors.span import Span

MOST_LISTED = 500
ROWS = 50
PROFILE_MS = 48 * 3_600_000


class InstrumentsParameters(serializers.Serializer[object]):
    market = serializers.ChoiceField(choices=["spot", "usdm"], required=False)
    search = serializers.CharField(max_length=40, required=False)
    status = serializers.CharField(max_length=24, required=False)
    followed = serializers.BooleanField(required=False, allow_null=True, default=None)


class IndicatorParameters(RangeParameters):
    indicators = serializers.CharField(
        max_length=200, default="sma:20,ema:50,rsi:14,macd,bollinger,atr,vwap"
    )


class ProfileParameters(RangeParameters):
    rows = serializers.IntegerField(min_value=2, max_value=500, default=ROWS)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if attrs["end"] - attrs["start"] > PROFILE_MS:
            raise serializers.ValidationError(
                {"start": "Expected at most 48 hours: a profile is made from 1 s bars."}
            )
        return attrs


class InstrumentsView(APIView):
    """What the exchange lists, from its exchangeInfo; at most 500, by symbol. With `search`, the
    coin or symbol of that name and what is followed come first."""

    @extend_schema(
        parameters=[InstrumentsParameters], responses=gives(Rows(ListingRow, is_paged=False))
    )
    def get(self, request: Request) -> Response:
        parameters = InstrumentsParameters(data=request.query_params)
        parameters.is_valid(raise_exception=True)
        wanted = parameters.validated_data
        followed = Instrument.objects.filter(
            venue=OuterRef("venue"),
            market=OuterRef("market"),
            symbol=OuterRef("symbol"),
            is_followed=True,
        )
        listed = Listing.objects.filter(venue=settings.VENUE).annotate(is_followed=Exists(followed))
        for name in ("market", "status"):
            if name in wanted:
                listed = listed.filter(**{name: wanted[name]})
        if wanted.get("followed") is not None:
            listed = listed.filter(is_followed=wanted["followed"])
        if word := wanted.get("search"):
            listed = (
                listed.filter(
                    Q(symbol__icontains=word)
                    | Q(base_asset__iexact=word)
                    | Q(quote_asset__iexact=word)
                )
                .annotate(
                    fit=Case(
                        When(symbol__iexact=word, then=0),
                        When(base_asset__iexact=word, then=1),
                        When(symbol__istartswith=word, then=2),
                        default=3,
                    )
                )
                .order_by("fit", "-is_followed", "symbol", "market")
            )
        return Response({"rows": [_instrument(row) for row in listed[:MOST_LISTED]]})


class MarketsView(APIView):
    """Everything that is followed: price, 24 h change, order flow of the last minutes."""

    @extend_schema(responses=gives(Rows(MarketRow, is_paged=False)))
    def get(self, request: Request) -> Response:
        followed = Instrument.objects.filter(venue=settings.VENUE, is_followed=True)
        lines = overview([*followed.order_by("market", "symbol")])
        return Response({"rows": [line.as_answer() for line in lines]})


class IndicatorsView(APIView):
    """`indicators=sma:20,macd:12:26:9,vwap:0` on the closed bars of a range; `vwap:1` begins each
    UTC day, `vwap:0` where the answer begins (anchored)."""

    @extend_schema(parameters=[IndicatorParameters], responses=gives(IndicatorsAnswer))
    def get(self, request: Request) -> Response:
        wanted = _valid(IndicatorParameters, request)
        try:
            wishes = indicators.parse(wanted["indicators"])
        except ValueError as error:
            raise ValidationError({"indicators": [str(error)]}) from error
        seconds = INTERVALS[wanted["interval"]]
        early = wanted["start"] - indicators.lookback(wishes) * seconds * 1000
        span = read_span(wanted["instrument"], wanted["interval"], max(0, early), wanted["end"])
        bars = _closed(span)
        own = [bar for bar in bars if bar.time * 1000 >= wanted["start"]]
        series = {}
        for wish in wishes:
            name = ":".join([wish.name, *map(str, wish.numbers)])
            is_anchored = wish == ("vwap", (0,))
            points = indicators.compute(own if is_anchored else bars, seconds, wish)
            series[name] = [point for point in points if point["t"] >= wanted["start"]]
        return Response({**_head(wanted), "complete": span.is_whole, "series": series})


class ProfileView(APIView):
    """Volume by price of a range, from its 1 s bars: exact base amounts."""

    @extend_schema(parameters=[ProfileParameters], responses=gives(ProfileAnswer))
    def get(self, request: Request) -> Response:
        wanted = _valid(ProfileParameters, request)
        span = read_span(wanted["instrument"], "1s", wanted["start"], wanted["end"])
        rows = [
            {"price": text(price), "buy": text(buy), "sell": text(sell)}
            for price, buy, sell in indicators.profile(span.bars, wanted["rows"])
        ]
        return Response({**_head(wanted), "complete": span.is_whole, "rows": rows})


class MarksView(APIView):
    """CVD divergence and absorption on the closed bars of a range, with the trade ids behind."""

    @extend_schema(parameters=[RangeParameters], responses=gives(MarksAnswer))
    def get(self, request: Request) -> Response:
        wanted = _valid(RangeParameters, request)
        span = read_span(wanted["instrument"], wanted["interval"], wanted["start"], wanted["end"])
        rows = [
            {
                "t": mark.time * 1000,
                "kind": mark.kind,
                "side": mark.side,
                "first_id": mark.first_id,
                "last_id": mark.last_id,
            }
            for mark in indicators.marks(_closed(span), span.seconds)
        ]
        return Response({**_head(wanted), "complete": span.is_whole, "rows": rows})


def _closed(span: Span) -> list[Any]:
    return [bar for bar in span.bars if span.is_closed(bar) and span.is_complete(bar)]


def _head(wanted: dict[str, Any]) -> dict[str, Any]:
    instrument = wanted["instrument"]
    return {
        "symbol": instrument.symbol,
        "market": instrument.market,
        "venue": instrument.venue,
        "interval": wanted["interval"],
    }


def _instrument(row: Any) -> ListingRow:
    return {
        "market": row.market,
        "symbol": row.symbol,
        "base": row.base_asset,
        "quote": row.quote_asset,
        "status": row.status,
        "tick_size": plain(row.tick_size),
        "step_size": plain(row.step_size),
        "min_notional": plain(row.min_notional),
        "filters": row.filters,
        "followed": row.is_followed,
    }


def _valid(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    parameters = form(data=request.query_params)
    parameters.is_valid(raise_exception=True)
    values: dict[str, Any] = parameters.validated_data
    return values
