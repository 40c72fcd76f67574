"""How often one may knock: a number a minute by class of door, for each user or address.

Counted in Redis over all processes; without Redis each process counts for itself.
"""

import math
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from accounts.shares import (
    CALM_SECONDS,
    USER,
    credential_of,
    shares,
    spent,
    works_for,
)
from accounts.turns import take_turn
from market.hot.client import hot_client

Rate = Literal["read", "heavy", "write", "trade", "sign-in"]
WINDOW_SECONDS = 60
# Who has asked in the last minute, in any process, and when.
ASKING = "tl:asking"
# So many of them are looked at: strangers are among them, and hide nobody.
MOST_ASKING = 1_000
# Who is loud in any process, and when its next request may begin; so many are looked at.
LOUD, MOST_LOUD = "tl:loud", 8
# How soon somebody may ask again for what too many do at once.
TURN_SECONDS = 3
# A list as a file, whichever door it comes from.
FILES = {"csv", "xlsx"}
# In the scope of a request that has waited at the door for its turn.
WAITED = "tapelog.waited"
V = TypeVar("V", bound=Callable[..., object])

# What this process counted in the window of that number, while Redis was away.
_alone: Counter[str] = Counter()
_alone_window = 0


@dataclass(frozen=True)
class Share:
    """What is left of a minute's share after this request; `left` below 0 refuses it."""

    rate: Rate
    most: int
    left: int
    seconds: int

    @property
    def is_spent(self) -> bool:
        return self.left < 0

    def tell(self, answer: HttpResponseBase) -> None:
        """The headers `RateLimit` and `RateLimit-Policy`, and `Retry-After` on a refusal."""
        answer["RateLimit"] = f'"{self.rate}";r={max(0, self.left)};t={self.seconds}'
        answer["RateLimit-Policy"] = f'"{self.rate}";q={self.most};w={WINDOW_SECONDS}'
        if self.is_spent:
            answer["Retry-After"] = str(self.seconds)


def take(rate: Rate, who: str) -> Share:
    """One request of `who` (a user, or an address) at a door of this class."""
    most = int(settings.RATES[rate])
    now = time.time()
    window = int(now // WINDOW_SECONDS)
    key = f"tl:rate:{rate}:{who}:{window}"
    try:
        with hot_client().pipeline(transaction=False) as pipe:
            pipe.incr(key)
            pipe.expire(key, 2 * WINDOW_SECONDS)
            pipe.zadd(ASKING, {who: now})
            pipe.zrevrange(ASKING, 0, 1, withscores=True)
            pipe.zremrangebyscore(ASKING, 0, now - WINDOW_SECONDS)
            pipe.zrevrangebyscore(
                LOUD, "inf", now - CALM_SECONDS, start=0, num=MOST_LOUD, withscores=True
            )
            used, _told, _added, newest, _gone, loud = pipe.execute()
        for asker, asked_at in newest:
            shares.asks(asker.decode(), now - asked_at)
        for loud_one, free_at in loud:
            shares.hears(loud_one.decode(), free_at - now)
    except redis.RedisError:
        used = _take_alone(key, window)
        shares.asks(who)
    seconds = max(1, math.ceil((window + 1) * WINDOW_SECONDS - now))
    return Share(rate, most, most - used, seconds)


def others_ask(who: str, seconds: float) -> bool:
    """Whether a user but `who` has asked so lately, in any process. Raises RedisError."""
    since = time.time() - seconds
    lately = hot_client().zrevrangebyscore(ASKING, "inf", since, start=0, num=MOST_ASKING)
    askers = [asker.decode() for asker in lately]
    return any(asker.startswith(USER) and asker != who for asker in askers)


def settle(request: HttpRequest) -> None:
    """At the end of a request: what it took is charged to who asked, and whom that leaves loud the
    other processes hear of at the next request of anybody."""
    who: str = request.asked_by  # type: ignore[attr-defined]
    shares.charge(who, spent() - request.began_at)  # type: ignore[attr-defined]
    works_for(None)
    if not shares.is_loud(who):
        return
    now = time.time()
    with suppress(redis.RedisError), hot_client().pipeline(transaction=False) as pipe:
        pipe.zadd(LOUD, {who: now + shares.pause(who)}, gt=True)
        pipe.zremrangebyscore(LOUD, 0, now - WINDOW_SECONDS)
        pipe.expire(LOUD, WINDOW_SECONDS)
        pipe.execute()


def _take_alone(key: str, window: int) -> int:
    global _alone_window
    if window != _alone_window:
        _alone.clear()
        _alone_window = window
    _alone[key] += 1
    return _alone[key]


def rate_class(rate: Rate) -> Callable[[V], V]:
    """Names the class of a page's door, where its method alone does not say it."""

    def name(view: V) -> V:
        view.rate = rate  # type: ignore[attr-defined]
        return view

    return name


def knock(request: HttpRequest, rate: Rate, who: str) -> Share:
    """Takes a request's share, and for a dear door its turn: both are left on the request, for the
    headers of its answer and for its end. Somebody loud (`accounts.shares`) whom the door could not
    know by the request is asked to come again."""
    share = take(rate, who)
    request.asked_by = who  # type: ignore[attr-defined]
    works_for(who)
    _know(request, who)
    if not getattr(request, "scope", {}).get(WAITED) and shares.is_loud(who):
        pause = shares.pause(who)
        if pause > 0 and rate != "trade":
            share = Share(rate, share.most, -1, math.ceil(pause))
    if rate == "heavy" and not share.is_spent:
        turn = take_turn(who, is_beside_others=shares.has_others(who))
        request.heavy_turn = turn  # type: ignore[attr-defined]
        if turn is None:
            share = Share(rate, share.most, -1, TURN_SECONDS)
    request.rate_share = share  # type: ignore[attr-defined]
    return share


def _know(request: HttpRequest, who: str) -> None:
    authorization = request.META.get("HTTP_AUTHORIZATION", "")
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    credential = credential_of(authorization.encode("latin-1", "replace"), session.encode())
    if credential is not None:
        shares.know(credential, who)


def rate_of(view: object, request: HttpRequest, method: str, default: Rate | None = None) -> Rate:
    own_rate: Rate | None = getattr(view, "rate", None)
    if request.GET.get("format") in FILES and method == "GET":
        return "heavy"
    if own_rate == "heavy" and method not in {"GET", "HEAD"}:
        return "write"
    return own_rate or default or ("read" if method in {"GET", "HEAD", "OPTIONS"} else "write")


def who_asks(request: HttpRequest) -> str:
    """The signed-in user, else the address."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return f"u{user.pk}"
    return f"a{request.META.get('REMOTE_ADDR') or 'unix'}"
