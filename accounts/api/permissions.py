"""What a token may do at the API; a session may do all that its user may."""

from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import ApiToken
from accounts.scopes import SESSION_ONLY, Scope, needed


class ScopeMissing(APIException):
    """403 with the scope's name beside the sentence."""

    status_code = 403
    default_code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(
            {
                "code": "scope_missing",
                "scope": scope,
                "detail": f"This token lacks the scope {scope}.",
            }
        )


class SessionOnly(APIException):
    status_code = 403
    default_code = "session_only"

    def __init__(self) -> None:
        super().__init__(
            {
                "code": "session_only",
                "detail": "No token may do this: sign in, and confirm that it is you.",
            }
        )


class HasScope(BasePermission):
    """Raises ScopeMissing, SessionOnly, AuthenticationFailed (trading unsigned)."""

    def has_permission(self, request: Request, view: object) -> bool:
        token = request.auth
        is_answered = hasattr(view, (request.method or "").lower())  # else: 405
        if not isinstance(token, ApiToken) or not is_answered:
            return True
        scope = needed(view, request.method or "")
        if scope == SESSION_ONLY:
            raise SessionOnly
        if scope not in token.scopes:
            raise ScopeMissing(scope)
        if scope == Scope.TRADE and not token.key_kind:
            raise AuthenticationFailed(
                {
                    "code": "signature_required",
                    "detail": "Trading needs a token that is bound to a key: sign the request.",
                }
            )
        return True
