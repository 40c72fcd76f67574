"""Exchange accounts over REST; secrets go in and never come out."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tasks
from accounts.access import own_account
from accounts.models import ExchangeAccount, TradingKey, User
from accounts.scopes import Scope
from accounts.services import connecting, trading_keys
from accounts.step_up import need_fresh
from lib.openapi import gives, query
from lib.secret import Secret


class AccountAnswer(serializers.ModelSerializer[ExchangeAccount]):
    # the last characters of the key that orders go with, where they have one of their own
    trading_last_four = serializers.SerializerMethodField()

    class Meta:
        model = ExchangeAccount
        fields = (
            "id",
            "label",
            "venue",
            "key_kind",
            "last_four",
            "trading_last_four",
            "state",
            "problem",
            "problem_detail",
            "checks",
            "permissions",
            "snapshot",
            "created_at",
            "checked_at",
        )
        read_only_fields = fields

    def get_trading_last_four(self, account: ExchangeAccount) -> str | None:
        key = TradingKey.objects.filter(account=account).first()
        return None if key is None else key.last_four


class SecretField(serializers.CharField):
    """Comes in as text, is a Secret from there on, and never goes out."""

    def to_internal_value(self, data: Any) -> Secret:  # type: ignore[override]
        return Secret(super().to_internal_value(data))

    def run_validators(self, value: Any) -> None:
        if self.max_length is not None and len(value.reveal()) > self.max_length:
            raise ValidationError(f"Expected at most {self.max_length} characters.")


class KeyAsked(serializers.Serializer[object]):
    api_key = SecretField(max_length=200, write_only=True)
    secret = SecretField(max_length=8000, write_only=True)


class AccountAsked(KeyAsked):
    label = serializers.CharField(max_length=60)  # type: ignore[assignment]


class AccountChange(serializers.Serializer[object]):
    label = serializers.CharField(max_length=60, required=False)  # type: ignore[assignment]
    paused = serializers.BooleanField(required=False)


class AccountsView(APIView):
    """One's own accounts, oldest first; POST connects another one and has it looked at."""

    scopes: ClassVar = {"POST": Scope.ACCOUNTS}

    @extend_schema(responses={200: AccountAnswer(many=True)})
    def get(self, request: Request) -> Response:
        accounts = ExchangeAccount.objects.visible_to(_user(request))
        return Response(AccountAnswer(accounts, many=True).data)

    @extend_schema(request=AccountAsked, responses=gives(AccountAnswer, code=201))
    def post(self, request: Request) -> Response:
        _confirm(request)
        values = _valid(AccountAsked, request)
        try:
            account = connecting.connect(user=_user(request), **values)
        except connecting.CannotConnect as error:
            raise ValidationError({"api_key": [str(error)]}) from error
        tasks.check_soon(account)
        return Response(AccountAnswer(account).data, status=201)


class AccountView(APIView):
    scopes: ClassVar = {"PATCH": Scope.ACCOUNTS, "DELETE": Scope.ACCOUNTS}

    @extend_schema(responses=gives(AccountAnswer))
    def get(self, request: Request, account_id: UUID) -> Response:
        return Response(AccountAnswer(own_account(_user(request), account_id)).data)

    @extend_schema(request=AccountChange, responses=gives(AccountAnswer))
    def patch(self, request: Request, account_id: UUID) -> Response:
        account, user = own_account(_user(request), account_id), _user(request)
        changes = _valid(AccountChange, request)
        if "label" in changes:
            account = connecting.rename(account=account, user=user, label=changes["label"])
        if "paused" in changes:
            account = connecting.pause(account=account, user=user, paused=changes["paused"])
            if not changes["paused"]:
                tasks.check_soon(account)
        return Response(AccountAnswer(account).data)

    @extend_schema(responses={204: None}, parameters=[query("data", choices=("keep",))])
    def delete(self, request: Request, account_id: UUID) -> Response:
        """With `?data=keep` only the key is forgotten."""
        account = own_account(_user(request), account_id)
        _confirm(request)
        keep = request.query_params.get("data") == "keep"
        connecting.disconnect(account=account, user=_user(request), with_data=not keep)
        if not keep:
            tasks.remove_soon(str(account_id))
        return Response(status=204)


class KeyView(APIView):
    scopes: ClassVar = {"PUT": Scope.ACCOUNTS}

    @extend_schema(request=KeyAsked, responses=gives(AccountAnswer))
    def put(self, request: Request, account_id: UUID) -> Response:
        account = own_account(_user(request), account_id)
        _confirm(request)
        try:
            account = connecting.replace_key(
                account=account, user=_user(request), **_valid(KeyAsked, request)
            )
        except connecting.CannotConnect as error:
            raise ValidationError({"api_key": [str(error)]}) from error
        tasks.check_soon(account)
        return Response(AccountAnswer(account).data)


class TradingKeyView(APIView):
    """A key for orders alone, beside the account's own; setting and removing it switch trading
    off."""

    scopes: ClassVar = {"PUT": Scope.ACCOUNTS, "DELETE": Scope.ACCOUNTS}

    @extend_schema(request=KeyAsked, responses=gives(AccountAnswer))
    def put(self, request: Request, account_id: UUID) -> Response:
        account = own_account(_user(request), account_id)
        _confirm(request)
        try:
            account = trading_keys.put(
                account=account, user=_user(request), **_valid(KeyAsked, request)
            )
        except connecting.CannotConnect as error:
            raise ValidationError({"api_key": [str(error)]}) from error
        return Response(AccountAnswer(own_account(_user(request), account.pk)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, account_id: UUID) -> Response:
        account = own_account(_user(request), account_id)
        _confirm(request)
        trading_keys.remove(account=account, user=_user(request))
        return Response(status=204)


class CheckView(APIView):
    scopes: ClassVar = {"POST": Scope.ACCOUNTS}

    @extend_schema(request=None, responses=gives(AccountAnswer, code=202))
    def post(self, request: Request, account_id: UUID) -> Response:
        account = own_account(_user(request), account_id)
        tasks.check_soon(account)
        return Response(AccountAnswer(account).data, status=202)


def _confirm(request: Request) -> None:
    """A session has to be fresh; a fresh one gave a token its scope. Raises StepUpNeeded."""
    if request.auth is None:
        need_fresh(request)


def _valid(form: type[serializers.Serializer[object]], request: Request) -> dict[str, Any]:
    serializer = form(data=request.data)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def _user(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user
