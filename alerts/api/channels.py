"""Channels over REST: what is secret goes in, and a webhook's key comes out once."""

from typing import ClassVar
from uuid import UUID

from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import Scope
from accounts.vault.keyfiles import KeyProblem
from alerts.access import own_channel
from alerts.answers import channel_answer
from alerts.api import bodies
from alerts.api.bodies import body_of, refused, user_of
from alerts.models import Channel
from alerts.services import channels, push_keys
from alerts.services.refusals import BadInput
from lib.envelope import NotOurs
from lib.openapi import gives


class NotProven(APIException):
    """The channel did not take what was sent to it."""

    status_code = 409
    default_code = "not_proven"


@method_decorator(never_cache, name="dispatch")
class ChannelsView(APIView):
    """One's own channels, oldest first; POST adds one, which is unproven until it has answered."""

    scopes: ClassVar = {"POST": Scope.ALERTS}

    @extend_schema(responses=gives(bodies.ChannelsAnswer))
    def get(self, request: Request) -> Response:
        mine = Channel.objects.visible_to(user_of(request))
        try:
            push_key = push_keys.public_key()
        except KeyProblem:
            push_key = None
        return Response({"rows": [channel_answer(item) for item in mine], "push_key": push_key})

    @extend_schema(request=bodies.ChannelAsked, responses=gives(bodies.ChannelMade, code=201))
    def post(self, request: Request) -> Response:
        try:
            channel, secret = channels.create(user=user_of(request), body=body_of(request))
        except BadInput as error:
            raise refused(error) from error
        except KeyProblem as error:
            raise bodies.NoKey from error
        return Response({**channel_answer(channel), "secret": secret}, status=201)


@method_decorator(never_cache, name="dispatch")
class ChannelView(APIView):
    scopes: ClassVar = {"DELETE": Scope.ALERTS}

    @extend_schema(responses=gives(bodies.ChannelAnswer))
    def get(self, request: Request, channel_id: UUID) -> Response:
        return Response(channel_answer(own_channel(user_of(request), channel_id)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, channel_id: UUID) -> Response:
        channels.remove(channel=own_channel(user_of(request), channel_id))
        return Response(status=204)


class ProveView(APIView):
    """A webhook, a browser or apprise is sent a message now, and is proven by taking it. E-mail and
    Telegram get a code, which a second call hands in as `code`."""

    scopes: ClassVar = {"POST": Scope.ALERTS}
    rate = "heavy"

    @extend_schema(request=bodies.ProofAsked, responses=gives(bodies.ChannelAnswer, 409))
    def post(self, request: Request, channel_id: UUID) -> Response:
        channel = own_channel(user_of(request), channel_id)
        code = body_of(request).get("code") or ""
        try:
            channel = channels.prove(channel=channel, code=code if isinstance(code, str) else "-")
        except channels.NotProven as error:
            raise NotProven({"code": "not_proven", "detail": str(error)}) from error
        except (KeyProblem, NotOurs) as error:
            raise bodies.NoKey from error
        return Response(channel_answer(channel))
