"""REST authentication by `Authorization: Token <token>`, signed where it is bound to a key."""

from urllib.parse import quote

import structlog
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import APIException, AuthenticationFailed, Throttled
from rest_framework.request import Request

from accounts import limits
from accounts.models import ApiToken, User
from accounts.services import signatures, tokens
from accounts.vault.keyfiles import KeyProblem
from lib.envelope import NotOurs
from lib.networks import is_within, parse_networks

log = structlog.get_logger(__name__)


class NetworkNotAllowed(APIException):
    status_code = 403
    default_code = "network_not_allowed"

    def __init__(self, what: str) -> None:
        super().__init__(
            {
                "code": "network_not_allowed",
                "detail": f"This {what} may not be used from your network.",
            }
        )


class CannotCheck(APIException):
    """Nothing was done; the client may send it again, signed anew."""

    status_code = 503
    default_code = "cannot_check"
    default_detail = "Signed requests cannot be checked now: try again."


class PersonalTokenAuthentication(BaseAuthentication):
    """Passes when there is no such header; refuses a header that is not a usable token."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"token":
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("Expected the header “Authorization: Token <token>”."))
        token = tokens.find_token(token=words[1].decode("latin-1"))
        if token is None:
            _count_failure(request)
            raise AuthenticationFailed(_("This token is not known."))
        address = request.META.get("REMOTE_ADDR", "")
        _check_networks(token, address)
        if token.key_kind:
            _check_signature(token, request._request)
        tokens.note_use(token, address)
        return token.user, token

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
            "description": "`Token <personal token>`; signed (RFC 9421) where it is bound to a key",
        }


def _count_failure(request: Request) -> None:
    """Guesses are told to wait like wrong passwords. Raises Throttled."""
    share = limits.take("sign-in", f"t{limits.who_asks(request._request)}")
    if share.is_spent:
        raise Throttled(wait=share.seconds)


def _check_networks(token: ApiToken, address: str) -> None:
    """The user's own list holds for tokens too. Raises NetworkNotAllowed."""
    for what, words in (("token", token.networks), ("account", token.user.networks)):
        if words and not is_within(address, parse_networks(words)):
            log.warning("network refused", token=token.prefix, user=token.user_id)
            raise NetworkNotAllowed(what)


def _check_signature(token: ApiToken, request: HttpRequest) -> None:
    """Raises AuthenticationFailed, CannotCheck."""
    try:
        key = tokens.key_of(token)
    except (KeyProblem, NotOurs) as error:
        log.error("token's key cannot be opened", token=token.prefix, error=str(error))
        raise CannotCheck from error
    message = signatures.Message(
        request.method or "", _target_uri(request), request.headers, request.body
    )
    signer = signatures.Signer(token.pk, token.prefix, token.key_kind, key.reveal())
    try:
        signatures.verify(message, signer)
    except signatures.NotSigned as error:
        raise AuthenticationFailed(str(error), code="signature") from error
    except signatures.CannotTell as error:
        raise CannotCheck from error
    finally:
        key.wipe()


def _target_uri(request: HttpRequest) -> str:
    """As it came, so that no encoding is changed on the way to the signature."""
    scope = getattr(request, "scope", {})
    raw: bytes = scope.get("raw_path") or quote(request.path).encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    query = request.META.get("QUERY_STRING", "")
    return f"{request.scheme}://{request.get_host()}{path}" + (f"?{query}" if query else "")
