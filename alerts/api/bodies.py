"""What alerts' endpoints take and give, for the OpenAPI description, and how a body is read."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from accounts.models import User
from alerts.services.refusals import BadInput


class AlertAsked(serializers.Serializer[object]):
    name = serializers.CharField()
    condition = serializers.DictField(
        help_text='`{"kind": …}` with the fields of its kind; numbers as decimal text.'
    )
    channels = serializers.ListField(child=serializers.UUIDField(), required=False)
    cooldown_s = serializers.IntegerField(required=False)
    once = serializers.BooleanField(required=False)
    paused = serializers.BooleanField(required=False)


class AlertAnswer(AlertAsked):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["armed", "waiting", "paused"])
    firings = serializers.IntegerField()
    last_fired = serializers.IntegerField(allow_null=True, help_text="Epoch ms.")
    created = serializers.IntegerField(help_text="Epoch ms.")


class AlertsAnswer(serializers.Serializer[object]):
    rows = AlertAnswer(many=True)
    next = serializers.CharField(allow_null=True)


class DeliveryAnswer(serializers.Serializer[object]):
    channel = serializers.UUIDField()
    state = serializers.ChoiceField(choices=["waiting", "sent", "dead", "unproven"])
    tries = serializers.IntegerField()
    problem = serializers.CharField()


class EventAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    alert = serializers.IntegerField(allow_null=True, help_text="Null when it was removed.")
    name = serializers.CharField()
    kind = serializers.CharField()
    at = serializers.IntegerField(help_text="The exchange's time, epoch ms.")
    value = serializers.CharField(allow_null=True)
    text = serializers.CharField()
    read = serializers.BooleanField()
    url = serializers.CharField(allow_null=True)
    deliveries = DeliveryAnswer(many=True)


class EventsAnswer(serializers.Serializer[object]):
    rows = EventAnswer(many=True)
    next = serializers.CharField(allow_null=True)
    unread = serializers.IntegerField()


class ReadAsked(serializers.Serializer[object]):
    ids = serializers.ListField(child=serializers.UUIDField(), required=False, allow_null=True)


class ReadAnswer(serializers.Serializer[object]):
    unread = serializers.IntegerField()


class HitAnswer(serializers.Serializer[object]):
    at = serializers.IntegerField()
    value = serializers.CharField()


class PreviewAnswer(serializers.Serializer[object]):
    events = HitAnswer(many=True)
    count = serializers.IntegerField()
    start = serializers.IntegerField(help_text="From when on something is stored, epoch ms.")
    end = serializers.IntegerField()


class ChannelAsked(serializers.Serializer[object]):
    kind = serializers.ChoiceField(choices=["webhook", "email", "telegram", "webpush", "apprise"])
    name = serializers.CharField()
    target = serializers.CharField(write_only=True)


class ChannelAnswer(serializers.Serializer[object]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    name = serializers.CharField()
    target = serializers.CharField(help_text="What may be shown of it.")
    state = serializers.ChoiceField(choices=["unproven", "proven", "failing"])
    problem = serializers.CharField()
    created = serializers.IntegerField()


class ChannelMade(ChannelAnswer):
    secret = serializers.CharField(help_text="Base64; told this once.")


class ChannelsAnswer(serializers.Serializer[object]):
    rows = ChannelAnswer(many=True)
    push_key = serializers.CharField(help_text="What a browser subscribes with.", allow_null=True)


class ProofAsked(serializers.Serializer[object]):
    code = serializers.CharField(required=False)


class NoKey(APIException):
    """Nothing can be sealed or opened now."""

    status_code = 503
    default_code = "no_key"
    default_detail = "The keys of this installation cannot be read now; its operator has to look."


def user_of(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user


def body_of(request: Request) -> dict[str, Any]:
    if not isinstance(request.data, dict):
        raise ValidationError({"detail": ["Expected an object."]})
    return dict(request.data)


def refused(error: BadInput) -> ValidationError:
    return ValidationError({error.field: [str(error)]})
