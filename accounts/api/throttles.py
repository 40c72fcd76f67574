"""The classes of doors (`accounts.limits`) at the API."""

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import limits
from accounts.scopes import Scope, needed


class ByClassOfDoor(BaseThrottle):
    """Leaves the share on the plain request; the middleware tells it in headers."""

    def __init__(self) -> None:
        self._seconds = 0

    def allow_request(self, request: Request, view: object) -> bool:
        method = request.method or "GET"
        is_trade = needed(view, method) == Scope.TRADE
        plain = request._request
        rate = limits.rate_of(view, plain, method, "trade" if is_trade else None)
        user = request.user
        who = f"u{user.pk}" if user.is_authenticated else limits.who_asks(plain)
        share = limits.knock(plain, rate, who)
        self._seconds = share.seconds
        return not share.is_spent

    def wait(self) -> float:
        return float(self._seconds)
