"""What the journal's endpoints take; the services check it and say what they expected."""

from typing import Annotated, NotRequired, TypedDict

from lib.openapi import More

Name = Annotated[str, More(maxLength=40)]
Price = Annotated[str | float, "Decimal text, or a number."]


class NoteAsked(TypedDict, total=False):
    """What is not given stays."""

    note: Annotated[str, More(maxLength=20000, description="Markdown.")]
    emotion: Annotated[str, More(maxLength=20)]
    rating: Annotated[int | None, More(minimum=1, maximum=5)]
    setup: Annotated[str, More(maxLength=60)]
    rules_kept: list[int]
    tags: list[Name]
    mistakes: list[Name]
    reviewed: bool
    planned_entry: Price | None
    planned_stop: Price | None
    planned_target: Price | None
    initial_stop: Price | None


class MergeAsked(TypedDict):
    ids: Annotated[list[int], More(minItems=1, maxItems=200)]


class SplitAsked(TypedDict):
    fill: Annotated[int, "The id of one of the trade's fills: with it a new trade begins."]


class WatchedMarket(TypedDict):
    market: Annotated[str, More(enum=["spot", "usdm"])]
    symbol: str


class ListAsked(TypedDict):
    name: Annotated[str, More(minLength=1, maxLength=60)]
    markets: NotRequired[Annotated[list[WatchedMarket], More(maxItems=100)]]


class ListChange(TypedDict, total=False):
    """What is not given stays; `markets` is the whole ordered list."""

    name: Annotated[str, More(minLength=1, maxLength=60)]
    position: Annotated[int, More(minimum=0)]
    markets: Annotated[list[WatchedMarket], More(maxItems=100)]


class StudiesAsked(TypedDict):
    studies: Annotated[list[str], More(maxItems=12)]
