"""Alerts over REST."""

from typing import Any, ClassVar

from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import Scope
from alerts.access import own_alert
from alerts.answers import alert_answer, event_answer
from alerts.api import bodies
from alerts.api.bodies import body_of, refused, user_of
from alerts.models import Alert
from alerts.services import changing, firing, previewing
from alerts.services.refusals import BadInput
from journal.api.lists import number
from lib.dates import to_ms
from lib.openapi import gives


@method_decorator(never_cache, name="dispatch")
class AlertsView(APIView):
    """All of one's alerts, newest first; POST adds one."""

    scopes: ClassVar = {"POST": Scope.ALERTS}

    @extend_schema(responses=gives(bodies.AlertsAnswer))
    def get(self, request: Request) -> Response:
        mine = Alert.objects.visible_to(user_of(request)).prefetch_related("channels")
        return Response({"rows": [alert_answer(alert) for alert in mine], "next": None})

    @extend_schema(request=bodies.AlertAsked, responses=gives(bodies.AlertAnswer, code=201))
    def post(self, request: Request) -> Response:
        try:
            alert = changing.create(user=user_of(request), body=body_of(request))
        except BadInput as error:
            raise refused(error) from error
        return Response(alert_answer(alert), status=201)


@method_decorator(never_cache, name="dispatch")
class AlertView(APIView):
    scopes: ClassVar = {"PATCH": Scope.ALERTS, "DELETE": Scope.ALERTS}

    @extend_schema(responses=gives(bodies.AlertAnswer))
    def get(self, request: Request, alert_id: int) -> Response:
        return Response(alert_answer(own_alert(user_of(request), alert_id)))

    @extend_schema(request=bodies.AlertAsked, responses=gives(bodies.AlertAnswer))
    def patch(self, request: Request, alert_id: int) -> Response:
        """What is not given stays. Another condition, or the end of a pause, begins now."""
        alert = own_alert(user_of(request), alert_id)
        try:
            alert = changing.change(alert=alert, body=body_of(request))
        except BadInput as error:
            raise refused(error) from error
        return Response(alert_answer(alert))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, alert_id: int) -> Response:
        """What it has told stays."""
        changing.remove(alert=own_alert(user_of(request), alert_id))
        return Response(status=204)


class AlertTestView(APIView):
    """An event that says it is a test, now, on the page and to the alert's channels."""

    scopes: ClassVar = {"POST": Scope.ALERTS}

    @extend_schema(request=None, responses=gives(bodies.EventAnswer, code=201))
    def post(self, request: Request, alert_id: int) -> Response:
        alert = own_alert(user_of(request), alert_id)
        event = firing.test(alert, to_ms(timezone.now()))
        return Response(event_answer(event, event.deliveries.all()), status=201)


class PreviewView(APIView):
    """When an alert of this body would have fired over what is stored."""

    scopes: ClassVar = {"POST": Scope.ALERTS}
    rate = "heavy"

    @extend_schema(
        request=bodies.AlertAsked,
        responses=gives(bodies.PreviewAnswer),
        parameters=[OpenApiParameter("days", int, description="1 to 30; 7 when not given.")],
    )
    def post(self, request: Request) -> Response:
        user, body = user_of(request), body_of(request)
        days = number(request.query_params, "days", previewing.DAYS, previewing.MOST_DAYS)
        try:
            condition = changing.checked_condition(user, body.get("condition"))
            cooldown_s = changing.checked_cooldown(body.get("cooldown_s"), condition["kind"])
            preview = previewing.preview(
                user=user, condition=condition, cooldown_s=cooldown_s, days=days
            )
        except BadInput as error:
            raise refused(error) from error
        return Response(_preview_answer(preview))


def _preview_answer(preview: previewing.Preview) -> dict[str, Any]:
    return {
        "events": [{"at": hit.at_ms, "value": hit.value} for hit in preview.hits],
        "count": preview.count,
        "start": preview.from_ms,
        "end": preview.to_ms,
    }
