"""Order book, the last 24 hours, mark prices and funding over REST."""

import time
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lib.dates import from_ms, to_ms
from lib.decimals import plain
from lib.openapi import gives
from market.api.parameters import InstrumentParameters, MomentField
from market.api.shapes import BookAnswer, FundingAnswer, MarkPriceAnswer, TickerAnswer
from market.models import FundingRate, Instrument, MarkPrice
from market.selectors.reading import read_board

MOST_ROWS = 1500
DAY_MS = 86_400_000


class NotNow(APIException):
    status_code = 503
    default_code = "not_now"


class FutureParameters(InstrumentParameters):
    """A USD-M future and a range; without one, the newest rows."""

    market = serializers.ChoiceField(choices=["usdm"], default="usdm")
    start = MomentField(required=False, help_text="Inclusive; ISO 8601 or epoch ms.")
    end = MomentField(required=False, help_text="Exclusive; ISO 8601 or epoch ms.")
    limit = serializers.IntegerField(min_value=1, max_value=MOST_ROWS, default=500)


class BookView(APIView):
    """The top of the order book, at most a tenth of a second old."""

    @extend_schema(parameters=[InstrumentParameters], responses=gives(BookAnswer))
    def get(self, request: Request) -> Response:
        return _newest(request, "book", "no order book just now: its collector is connecting")


class TickerView(APIView):
    """The last 24 hours of a followed market."""

    @extend_schema(parameters=[InstrumentParameters], responses=gives(TickerAnswer))
    def get(self, request: Request) -> Response:
        return _newest(request, "ticker", "nothing heard of the last 24 hours just now")


class MarkPriceView(APIView):
    """Mark and index price of ended minutes (their last), oldest first, and what stands now."""

    @extend_schema(parameters=[FutureParameters], responses=gives(MarkPriceAnswer))
    def get(self, request: Request) -> Response:
        wanted = _valid(FutureParameters, request)
        rows = _within(MarkPrice.objects.filter(instrument=wanted["instrument"]), "minute", wanted)
        return Response(
            {
                **_head(wanted["instrument"]),
                "now": read_board(wanted["instrument"].key, "mark"),
                "rows": [
                    {"t": to_ms(row.minute), "mark": plain(row.mark), "index": plain(row.index)}
                    for row in rows
                ],
            }
        )


class FundingView(APIView):
    """Settled funding rates, oldest first; `now` holds the one that is coming."""

    @extend_schema(parameters=[FutureParameters], responses=gives(FundingAnswer))
    def get(self, request: Request) -> Response:
        wanted = _valid(FutureParameters, request)
        rows = _within(FundingRate.objects.filter(instrument=wanted["instrument"]), "time", wanted)
        return Response(
            {
                **_head(wanted["instrument"]),
                "now": read_board(wanted["instrument"].key, "mark"),
                "rows": [
                    {
                        "t": to_ms(row.time),
                        "rate": plain(row.rate),
                        "mark": plain(row.mark) if row.mark is not None else None,
                    }
                    for row in rows
                ],
            }
        )


def _newest(request: Request, kind: str, otherwise: str) -> Response:
    instrument = _valid(InstrumentParameters, request)["instrument"]
    board = read_board(instrument.key, kind)
    if board is None:
        is_followed = instrument.is_followed
        raise NotNow(otherwise if is_followed else f"{instrument.symbol} is not followed any more")
    return Response({**_head(instrument), **board})


def _within(rows: Any, field: str, wanted: dict[str, Any]) -> list[Any]:
    """The rows from `start` on, or the newest ones, oldest first."""
    end = wanted.get("end", int(time.time() * 1000) + DAY_MS)
    within = rows.filter(**{f"{field}__lt": from_ms(end)})
    if "start" in wanted:
        within = within.filter(**{f"{field}__gte": from_ms(wanted["start"])})
        return list(within.order_by(field)[: wanted["limit"]])
    return list(within.order_by(f"-{field}")[: wanted["limit"]])[::-1]


def _head(instrument: Instrument) -> dict[str, str]:
    return {
        "symbol": instrument.symbol,
        "market": instrument.market,
        "venue": settings.VENUE,
    }


def _valid(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    parameters = form(data=request.query_params)
    parameters.is_valid(raise_exception=True)
    values: dict[str, Any] = parameters.validated_data
    return values
