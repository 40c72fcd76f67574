"""REST authentication by `Authorization: Token <token>`."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import User
from accounts.services.tokens import user_of_token


class PersonalTokenAuthentication(BaseAuthentication):
    """Passes when there is no such header; refuses a header that is not a known token."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"token":
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("Expected the header “Authorization: Token <token>”."))
        user = user_of_token(token=words[1].decode("latin-1"))
        if user is None:
            raise AuthenticationFailed(_("This token is not known."))
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class PersonalTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI description names it."""

    target_class = PersonalTokenAuthentication
    name = "personalToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <personal token>`",
        }
