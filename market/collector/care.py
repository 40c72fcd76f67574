"""Work beside the flow, tape by tape: an ill one is left alone for a while and told, the others go
on; and whoever came last begins the next round, so that the budget is not always the same ones'."""

from collections.abc import Awaitable, Callable, Sequence

import redis.asyncio as redis
import structlog
from django.db import InterfaceError, OperationalError

from market.archive.troubles import ALL, News
from market.binance.errors import ExchangeError, MustWait, Refused
from market.collector.pauses import Pauses
from market.collector.rebuild import NotYet
from market.collector.tapes import Tape
from market.hot.store import is_of_one_tape
from market.models import Trouble

log = structlog.get_logger(__name__)

NEWS_KEPT = 2000


def is_away(error: Exception) -> bool:
    """A store does not answer: that is nobody's fault, and the same for every tape."""
    if isinstance(error, redis.RedisError):
        return not is_of_one_tape(error)
    return isinstance(error, OperationalError | InterfaceError | OSError)


class Care:
    def __init__(self) -> None:
        self.pauses = Pauses()
        # what is to be told in PostgreSQL, newest last; and what stands there
        self._news: dict[tuple[int, str, str], News] = {}
        self._told: set[tuple[int, str, str]] = set()
        self._round = 0

    async def each(
        self, what: str, tapes: Sequence[Tape], step: Callable[[Tape], Awaitable[None]]
    ) -> None:
        """Do a step for every tape that is not left alone. Raises when a store is away."""
        self._round += 1
        start = self._round % len(tapes) if tapes else 0
        for tape in [*tapes[start:], *tapes[:start]]:
            name = (what, tape.followed.id)
            if self.pauses.is_paused(name):
                continue
            try:
                await step(tape)
            except Exception as error:  # noqa: BLE001  (one ill tape stops no other)
                if is_away(error):
                    raise
                self.failed(tape, what, error)
            else:
                self.succeeded(tape, what)

    def failed(self, tape: Tape, what: str, error: Exception, key: object = None) -> None:
        """Leave it alone for a while; what the exchange refuses, and what nobody thought of, is
        told."""
        name = (what, tape.followed.id) if key is None else (what, tape.followed.id, key)
        seconds = self.pauses.failed(name, error)
        words = {"tape": str(tape.followed.key), "what": what, "again_in": round(seconds)}
        if isinstance(error, NotYet | MustWait):
            log.debug("not yet", reason=str(error), **words)
            return
        if isinstance(error, ExchangeError):
            log.warning("not answered", error=str(error), **words)
            if isinstance(error, Refused):
                self.tell(tape, Trouble.Kind.REFUSED, _key(what, key), f"{what}: {error}")
            return
        log.error("step broke", exc_info=error, **words)
        text = f"{what}: {type(error).__name__}: {error}"
        self.tell(tape, Trouble.Kind.PARKED, _key(what, key), text)

    def succeeded(self, tape: Tape, what: str, key: object = None) -> None:
        self.pauses.succeeded(
            (what, tape.followed.id) if key is None else (what, tape.followed.id, key)
        )
        for kind in (Trouble.Kind.REFUSED, Trouble.Kind.PARKED):
            if (tape.followed.id, kind, _key(what, key)) in self._told:
                self.tell(tape, kind, _key(what, key), "")

    def tell(self, tape: Tape, kind: str, key: str, text: str) -> None:
        """An empty text: it is over."""
        name = (tape.followed.id, kind, key)
        if len(self._news) < NEWS_KEPT or name in self._news:
            self._news[name] = News(tape.followed.id, kind, key, text)
        if text:
            self._told.add(name)
        else:
            self._told.discard(name)

    def begin(self, tape: Tape) -> None:
        """A collector begins with a tape: what another one told of it is history."""
        self.tell(tape, Trouble.Kind.PARKED, ALL, "")

    def take_news(self) -> list[News]:
        news, self._news = list(self._news.values()), {}
        return news

    def give_back(self, news: Sequence[News]) -> None:
        """They could not be kept; what was told since is newer."""
        self._news = {(n.instrument_id, n.kind, n.key): n for n in news} | self._news


def _key(what: str, key: object) -> str:
    return what if key is None else f"{what} {key}"
