"""A user's watch-lists over REST."""

from typing import Any, ClassVar

from django.conf import settings
from django.http import Http404
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.scopes import Scope
from journal.api.lists import user_of
from journal.models import Watchlist
from journal.selectors.preferences import preferences_of
from journal.services import watching
from journal.services.displaying import choose_studies
from journal.shapes.asked import ListAsked, ListChange, StudiesAsked
from journal.shapes.watching import WatchlistRow, WatchlistWhole
from lib.openapi import Rows, gives
from market.instruments import InstrumentKey
from market.selectors.overview import lines


@method_decorator(never_cache, name="dispatch")
class WatchlistsView(APIView):
    """All lists in their order; POST adds one."""

    scopes: ClassVar = {"POST": Scope.JOURNAL}

    @extend_schema(responses=gives(Rows(WatchlistRow, is_paged=False)))
    def get(self, request: Request) -> Response:
        mine = Watchlist.objects.visible_to(user_of(request)).prefetch_related("markets")
        return Response({"rows": [_watchlist(row) for row in mine]})

    @extend_schema(request=ListAsked, responses=gives(WatchlistRow, code=201))
    def post(self, request: Request) -> Response:
        body = _object(request)
        try:
            made = watching.create(
                user=user_of(request), name=body.get("name"), markets=body.get("markets", [])
            )
        except watching.BadList as error:
            raise ValidationError({error.field: [str(error)]}) from error
        return Response(_watchlist(made), status=201)


@method_decorator(never_cache, name="dispatch")
class WatchlistView(APIView):
    """One list with its figures: price, 24 h change, delta of 1 m, 5 m and 1 h, CVD of the hour."""

    scopes: ClassVar = {"PATCH": Scope.JOURNAL, "DELETE": Scope.JOURNAL}

    @extend_schema(responses=gives(WatchlistWhole))
    def get(self, request: Request, watchlist_id: int) -> Response:
        watchlist = _mine(user_of(request), watchlist_id)
        tapes = [InstrumentKey(settings.VENUE, m.market, m.symbol) for m in watchlist.markets.all()]
        return Response(
            {**_watchlist(watchlist), "rows": [row.as_answer() for row in lines(tapes)]}
        )

    @extend_schema(request=ListChange, responses=gives(WatchlistRow))
    def patch(self, request: Request, watchlist_id: int) -> Response:
        """`name`, `position` and `markets` (the whole ordered list); what is not given stays."""
        watchlist = _mine(user_of(request), watchlist_id)
        try:
            watching.change(watchlist=watchlist, changes=_object(request))
        except watching.BadList as error:
            raise ValidationError({error.field: [str(error)]}) from error
        return Response(_watchlist(_mine(user_of(request), watchlist_id)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, watchlist_id: int) -> Response:
        watching.remove(watchlist=_mine(user_of(request), watchlist_id))
        return Response(status=204)


@method_decorator(never_cache, name="dispatch")
class MarketViewView(APIView):
    """What the market page draws beside price and CVD, remembered for the user: indicators as
    `/api/indicators` spells them, `marks`, `profile`, and `pair` (the other market's CVD)."""

    scopes: ClassVar = {"PUT": Scope.JOURNAL}

    @extend_schema(responses=gives(StudiesAsked))
    def get(self, request: Request) -> Response:
        return Response({"studies": preferences_of(user_of(request)).studies})

    @extend_schema(request=StudiesAsked, responses=gives(StudiesAsked))
    def put(self, request: Request) -> Response:
        try:
            preferences = choose_studies(
                user=user_of(request), said=_object(request).get("studies")
            )
        except ValueError as error:
            raise ValidationError({"studies": [str(error)]}) from error
        return Response({"studies": preferences.studies})


def _mine(user: User, watchlist_id: int) -> Watchlist:
    watchlist: Watchlist | None = Watchlist.objects.visible_to(user).filter(pk=watchlist_id).first()
    if watchlist is None:
        raise Http404
    return watchlist


def _object(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise ValidationError({"name": ["Expected an object."]})
    return dict(request.data)


def _watchlist(row: Watchlist) -> WatchlistRow:
    return {
        "id": row.pk,
        "name": row.name,
        "position": row.position,
        "markets": [{"market": m.market, "symbol": m.symbol} for m in row.markets.all()],
    }
