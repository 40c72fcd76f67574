"""Cumulative volume delta over REST."""

from typing import Any

from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from drf_spectacular.utils import extend_schema
from msgspec import structs
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from lib.dates import INTERVALS
from lib.openapi import gives
from market.api import wishes
from market.api.answers import BigOrderAnswer, CvdAnswer, cvd_answer
from market.api.parameters import BigOrdersParameters, RangeParameters, RealtimeParameters
from market.models import Instrument
from market.selectors.reading import edge_of, exchange_now_ms, read_big_orders, read_span


@method_decorator((cache_control(private=True, no_cache=True), conditional_page), name="dispatch")
class RealtimeView(APIView):
    """The last minutes, the current one included, from Redis (PostgreSQL when it is away)."""

    @extend_schema(parameters=[RealtimeParameters], responses=gives(CvdAnswer, 409))
    def get(self, request: Request) -> Response:
        parameters = RealtimeParameters(data=request.query_params)
        parameters.is_valid(raise_exception=True)
        wanted = parameters.validated_data
        length_ms = INTERVALS[wanted["interval"]] * 1000
        end = exchange_now_ms(wanted["instrument"]) // 60_000 * 60_000 + 60_000
        start = (end - wanted["minutes"] * 60_000) // length_ms * length_ms
        return _answer(wanted, start, end)


@method_decorator((cache_control(private=True, no_cache=True), conditional_page), name="dispatch")
class RangeView(APIView):
    """Any range, or a page before a moment, stitched from Redis and PostgreSQL. The answer has an
    ETag: asked again with If-None-Match, a history that has not changed answers 304."""

    @extend_schema(parameters=[RangeParameters], responses={**gives(CvdAnswer, 409), 304: None})
    def get(self, request: Request) -> Response:
        parameters = RangeParameters(data=request.query_params)
        parameters.is_valid(raise_exception=True)
        wanted = parameters.validated_data
        return _answer(wanted, wanted["start"], wanted["end"])


class NoSingleTrades(APIException):
    status_code = 409
    default_code = "no_single_trades"
    default_detail = (
        "This stretch was made from aggregates, which hide the single trades: expected unit=order "
        "(USD-M futures know nothing else), or on spot an import of kind trades."
    )


def _answer(wanted: dict[str, Any], start_ms: int, end_ms: int) -> Response:
    span = read_span(wanted["instrument"], wanted["interval"], start_ms, end_ms)
    if wanted["unit"] == "trade" and span.has_only_aggregates:
        raise NoSingleTrades
    instrument: Instrument = wanted["instrument"]
    missing = wishes.look(instrument, span.seconds, span.missing(edge_of(span)))
    return Response(cvd_answer(instrument, wanted["interval"], wanted["unit"], span, missing))


class BigOrdersView(APIView):
    """The newest large taker orders (sweeps), newest first, at most 500; none without Redis."""

    @extend_schema(parameters=[BigOrdersParameters], responses={200: BigOrderAnswer(many=True)})
    def get(self, request: Request) -> Response:
        parameters = BigOrdersParameters(data=request.query_params)
        parameters.is_valid(raise_exception=True)
        wanted = parameters.validated_data
        orders = read_big_orders(wanted["instrument"].key, wanted["minimum"])
        return Response([structs.asdict(order) for order in orders])
