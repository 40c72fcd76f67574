"""`/api/me`: one's own data as a file, or erased; a session's only, since both ask who you are."""

from typing import ClassVar, Literal, TypedDict

from django.contrib.auth import logout
from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tasks
from accounts.models import Export, User
from accounts.scopes import SESSION_ONLY
from accounts.services import erasing, exporting
from accounts.step_up import need_fresh
from lib.openapi import Problem, gives


class ExportAnswer(serializers.Serializer[Export]):
    state = serializers.CharField()
    done = serializers.IntegerField()
    of = serializers.IntegerField()
    url = serializers.CharField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)


class NameAsked(serializers.Serializer[object]):
    name = serializers.CharField(max_length=150)


class Erasing(TypedDict):
    state: Literal["erasing"]


class Refused(APIException):
    status_code = 409
    default_code = "refused"


class MeView(APIView):
    scopes: ClassVar = {"DELETE": SESSION_ONLY}

    @extend_schema(request=NameAsked, responses=gives(Erasing, 409, code=202))
    def delete(self, request: Request) -> Response:
        """Erases all that is yours; `name` is your own, typed out."""
        need_fresh(request)
        form = NameAsked(data=request.data)
        form.is_valid(raise_exception=True)
        user = _user(request)
        try:
            erasing.ask(user, typed=form.validated_data["name"])
        except erasing.WrongName as error:
            raise ValidationError({"name": [str(error)]}) from error
        except erasing.CannotErase as error:
            raise Refused(str(error)) from error
        tasks.erase_soon(user.pk)
        logout(request._request)
        return Response({"state": "erasing"}, status=202)


class ExportView(APIView):
    scopes: ClassVar = {"POST": SESSION_ONLY}

    @extend_schema(responses=gives(ExportAnswer, 404))
    def get(self, request: Request) -> Response:
        """How far the file is, and where it lies for a day."""
        export = Export.objects.filter(user=_user(request)).first()
        if export is None:
            raise NotFound("No export was asked for.")
        return Response(_answer(export))

    @extend_schema(request=None, responses=gives(ExportAnswer, code=202))
    def post(self, request: Request) -> Response:
        """Asks for a file with everything that is yours."""
        need_fresh(request)
        export = exporting.ask(_user(request))
        tasks.export_soon(export)
        return Response(_answer(export), status=202)


class ExportFileView(APIView):
    """The file itself: to a session of the same user, for a day."""

    @extend_schema(
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 404: OpenApiResponse(Problem)}
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        export = Export.objects.filter(user=_user(request)).first()
        if export is None or not export.is_there or request.auth is not None:
            raise NotFound("No file is there.")
        return exporting.as_answer(export)


def _answer(export: Export) -> dict[str, object]:
    there = export.is_there
    return {
        "state": export.state,
        "done": export.done,
        "of": export.of,
        "url": reverse("api-export-file") if there else None,
        "until": export.until.isoformat() if there and export.until else None,
    }


def _user(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user
