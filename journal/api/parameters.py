"""Words of the journal's queries and shapes of its lists, for the OpenAPI description."""

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)

from journal import ranges
from journal.filters import DIRECTIONS, KINDS, STATES
from journal.models import Trade
from lib.openapi import ACCOUNT, DAY, MARKET, Problem, Rows, gives, query

V = TypeVar("V", bound=type[Any])

SYMBOL = query("symbol")
SIDE = query("side")
STATUS = query("status")
KIND = query("kind")
ASSET = query("asset")
RANGES = {
    "net": "Net in the report currency.",
    "r": "Net by what the first stop would have cost, without one by the usual risk.",
    "held": "Minutes held.",
    "hour": "Hour of the opening, 0 to 23 in the user's zone; from 22 to 4 is over midnight.",
}
# The filter bar of the pages.
FILTERS: tuple[OpenApiParameter, ...] = (
    ACCOUNT,
    MARKET,
    SYMBOL,
    query("direction", choices=DIRECTIONS),
    query("flow", choices=tuple(Trade.Against.values)),
    query("tag"),
    query("setup"),
    query("from", help_text="A day of the closing, inclusive.", pattern=DAY),
    query("to", help_text="A day of the closing, inclusive.", pattern=DAY),
    query("state", choices=STATES, help_text="Without: closed."),
    query("review", choices=("yes", "no")),
    query("result", choices=("win", "loss", "flat")),
    query("kind", choices=KINDS, help_text="Without: trade."),
    *(query(name, help_text=RANGES[name.rpartition("_")[0]]) for name in ranges.NAMES),
)
PAGING = (
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}),
    query("cursor", help_text="`next` of the answer before."),
)
FORMAT = query("format", choices=("csv", "json"), help_text="csv: everything that matches.")


def listed(row: type, *words: OpenApiParameter) -> Callable[[V], V]:
    """An `OwnList`: its rows, and what filters them."""
    responses = {
        (200, "application/json"): Rows(row),
        (200, "text/csv"): OpenApiTypes.STR,
        404: OpenApiResponse(Problem),
    }
    return extend_schema_view(
        get=extend_schema(responses=responses, parameters=[*words, *PAGING, FORMAT])
    )


def whole(row: type, *words: OpenApiParameter) -> Callable[[V], V]:
    """A list that is given at once."""
    return extend_schema_view(
        get=extend_schema(responses=gives(Rows(row)), parameters=[ACCOUNT, *words])
    )
