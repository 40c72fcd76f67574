"""What alerts have told, over REST."""

from typing import ClassVar
from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import Scope
from alerts.answers import event_answer
from alerts.api import bodies
from alerts.api.bodies import body_of, user_of
from alerts.selectors import events
from journal.api.lists import number
from lib.openapi import gives


@method_decorator(never_cache, name="dispatch")
class EventsView(APIView):
    """Newest first. `limit` up to 1000, `alert`, and `cursor`: the `next` of the answer before."""

    @extend_schema(
        responses=gives(bodies.EventsAnswer),
        parameters=[
            OpenApiParameter("limit", int),
            OpenApiParameter("alert", int),
            OpenApiParameter("cursor", str),
        ],
    )
    def get(self, request: Request) -> Response:
        user, query = user_of(request), request.query_params
        alert_id = number(query, "alert", 1, 10**9 - 1) if query.get("alert") else None
        try:
            rows, following = events.page(
                user,
                limit=number(query, "limit", events.DEFAULT, events.MOST),
                cursor=query.get("cursor", ""),
                alert_id=alert_id,
            )
        except events.BadCursor as error:
            raise ValidationError({"cursor": [str(error)]}) from error
        return Response(
            {
                "rows": [event_answer(event, event.deliveries.all()) for event in rows],
                "next": following,
                "unread": events.unread(user),
            }
        )


class EventsReadView(APIView):
    """These events, or without `ids` all, are read."""

    scopes: ClassVar = {"POST": Scope.ALERTS}

    @extend_schema(request=bodies.ReadAsked, responses=gives(bodies.ReadAnswer))
    def post(self, request: Request) -> Response:
        ids = body_of(request).get("ids")
        if ids is not None and (not isinstance(ids, list) or len(ids) > events.MOST):
            raise ValidationError({"ids": [f"Expected a list of at most {events.MOST} ids."]})
        try:
            chosen = None if ids is None else [UUID(item) for item in ids]
        except (ValueError, TypeError, AttributeError) as error:
            raise ValidationError({"ids": ["Expected the ids of events."]}) from error
        user = user_of(request)
        events.mark_read(user, chosen)
        return Response({"unread": events.unread(user)})
