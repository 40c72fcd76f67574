"""What an account's lists have in common: own rows only, filters, a cursor, JSON or CSV."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import ExchangeAccount, User
from journal.answers import PART, as_csv
from journal.filters import BadFilter, TradeFilter
from lib.dates import from_ms, parse_moment

MOST = 1000
DEFAULT = 100
FORMATS = ("", "csv", "json")


class OwnList(APIView):
    """Newest first. `start` (inclusive), `end` (exclusive): ISO 8601 or epoch ms; `limit` up to
    1000; `cursor` from the answer before; `format=csv` gives everything that matches."""

    # what a query may filter by, exactly
    exact: ClassVar[tuple[str, ...]] = ()
    # the column that rows are ordered by
    moment: ClassVar[str] = "time"
    # what a row's key is in a cursor
    pk_type: ClassVar[type[Any]] = int

    def rows(self, user: User) -> QuerySet[Any]:
        raise NotImplementedError

    def shown(self, row: Any) -> Mapping[str, Any]:
        raise NotImplementedError

    def shown_all(self, user: User, rows: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        return [self.shown(row) for row in rows]

    def get(self, request: Request) -> HttpResponseBase:
        query = request.query_params
        if any("\0" in value for value in query.values()):
            raise ValidationError({"filter": ["Expected text without a NUL."]})
        rows = self._filtered(request, query).order_by(f"-{self.moment}", "-pk")
        limit = number(query, "limit", DEFAULT, MOST)
        if wants_csv(query):
            name = type(self).__name__.removesuffix("View").lower()
            shown = (self.shown(row) for row in rows.iterator(PART))
            return as_csv(chain(shown, self.last_lines(request, query)), f"{name}.csv")
        if query.get("cursor"):
            at, pk = _opened(query["cursor"], self.pk_type)
            behind = Q(**{f"{self.moment}__lt": at}) | Q(**{self.moment: at, "pk__lt": pk})
            rows = rows.filter(behind)
        page = list(rows[: limit + 1])
        last = page[limit - 1] if len(page) > limit else None
        return Response(
            {
                "rows": self.shown_all(user_of(request), page[:limit]),
                "next": None if last is None else _sealed(getattr(last, self.moment), last.pk),
                **self.beside(request, query),
            }
        )

    def beside(self, request: Request, query: Mapping[str, str]) -> dict[str, Any]:
        """What an answer has beside its rows."""
        return {}

    def last_lines(self, request: Request, query: Mapping[str, str]) -> Sequence[dict[str, Any]]:
        """What a CSV has below its rows."""
        return ()

    def _filtered(
        self, request: Request, query: Mapping[str, str], rows: QuerySet[Any] | None = None
    ) -> QuerySet[Any]:
        """`rows`: of these instead of the list's own."""
        chosen = self.rows(user_of(request)) if rows is None else rows
        for name in self.exact:
            if query.get(name):
                is_checked = name in {"account", "market"}
                value = getattr(parsed({name: query[name]}), name) if is_checked else query[name]
                chosen = chosen.filter(**{name: value})
        for name, how in (("start", "gte"), ("end", "lt")):
            if query.get(name):
                chosen = chosen.filter(**{f"{self.moment}__{how}": moment(query[name], name)})
        return chosen


def wants_csv(query: Mapping[str, str]) -> bool:
    """Raises ValidationError."""
    word = query.get("format", "")
    if word not in FORMATS:
        raise ValidationError({"format": [f"Expected csv or json, was {word[:20]!r}."]})
    return word == "csv"


def number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= most:
        raise ValidationError({name: [f"Expected a number from 1 to {most}, was {text[:20]!r}."]})
    return int(text)


def moment(text: str, name: str) -> datetime:
    try:
        return from_ms(parse_moment(text))
    except (ValueError, OverflowError) as error:
        raise ValidationError({name: [str(error)]}) from error


def parsed(query: Mapping[str, str]) -> TradeFilter:
    try:
        return TradeFilter.parse(query)
    except BadFilter as error:
        raise ValidationError({"filter": [str(error)]}) from error


def user_of(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user


def _sealed(at: datetime, pk: object) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{pk}".encode()).decode()


def _opened(text: str, pk_type: type[Any]) -> tuple[datetime, Any]:
    try:
        at, _, pk = base64.urlsafe_b64decode(text.encode()).decode().partition("|")
        begins = datetime.fromisoformat(at)
        if begins.tzinfo is None:
            raise ValueError("expected a moment with its zone")
        return begins, pk_type(pk)
    except (ValueError, binascii.Error) as error:
        raise ValidationError({"cursor": ["Expected a cursor from an answer before."]}) from error


def own_account(user: User, name: str) -> str:
    """The id of an account of one's own; empty: all. Raises ValidationError and Http404."""
    if not name:
        return ""
    try:
        key = str(UUID(name))
    except ValueError as error:
        raise ValidationError({"account": ["Expected an account's id."]}) from error
    get_object_or_404(ExchangeAccount.objects.visible_to(user), pk=key)
    return key
