"""One run of an account's synchronisation: what its steps share."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import ExchangeAccount
from accounts.services.reader import Reader
from journal.models import Coverage, Sync
from journal.sync.coins import Coins, coins_of, quotes_of
from journal.sync.holding import HELD_FOR
from lib.dates import to_ms
from market.models import Listing

SAY_EVERY_SECONDS = 1.0
# Binance opened on 14 July 2017: nobody has anything older.
OPENED_MS = 1_499_990_400_000


class Stopped(Exception):
    """Another worker has taken over, the account was paused, or this process shall end."""


class Run:
    """`listings` are the symbols of each market; `is_to_stop` is asked before each request, and
    `on_beat` hears that the work goes on."""

    def __init__(
        self,
        account: ExchangeAccount,
        holder: str,
        is_to_stop: Callable[[], bool],
        on_beat: Callable[[], None] = lambda: None,
    ) -> None:
        self.account = account
        self.holder = holder
        self.reader = Reader(account, "sync", self.beat)
        self.listings: dict[str, dict[str, Listing]] = {}
        self.now = timezone.now()
        self.done = 0
        self.expected = 0
        self.note = ""
        self.values: dict[str, object] = {}
        # what can be done while one waits for weight, from another budget
        self.meanwhile: Callable[[], None] | None = None
        self._is_to_stop = is_to_stop
        self._on_beat = on_beat
        self._said_at = 0.0

    @property
    def now_ms(self) -> int:
        return to_ms(self.now)

    @property
    def since_ms(self) -> int:
        """How far back its owner wants to go."""
        since = Sync.objects.values_list("since", flat=True).get(account=self.account)
        if since is None:
            return OPENED_MS
        return max(OPENED_MS, to_ms(datetime(since.year, since.month, since.day, tzinfo=UTC)))

    def beat(self, note: str, seconds: int = 0) -> None:
        """Before each request, and while waiting: keep the lease, say how far it is. Raises
        Stopped."""
        if self._is_to_stop():
            raise Stopped
        self._on_beat()
        if not note:
            self.done += 1
        elif self.meanwhile is not None:
            self.meanwhile()
        now = time.monotonic()
        if now - self._said_at < SAY_EVERY_SECONDS:
            return
        self._said_at = now
        mine = Sync.objects.filter(account=self.account, holder=self.holder)
        if not mine.update(
            until=Now() + HELD_FOR,
            note=note or self.note,
            done=self.done,
            note_values={**self.values, "seconds": seconds} if note else self.values,
            expected=max(self.expected, self.done),
        ):
            raise Stopped
        if ExchangeAccount.objects.filter(
            pk=self.account.pk, state=ExchangeAccount.State.PAUSED
        ).exists():
            raise Stopped

    def say(self, note: str, expected: int = 0, **values: object) -> None:
        """What is being done (a text to translate), and how many requests more it may take."""
        self.note, self.values = note, values
        self.expected = self.done + expected if expected else self.expected
        self._said_at = 0.0

    def coins(self, market: str, symbol: str) -> Coins | None:
        """Its two coins, listed or not any more; None where nothing tells them."""
        listed = self.listings.get(market, {})
        return coins_of(symbol, listed, () if symbol in listed else quotes_of(self.listings))

    def coverage(self, kind: str, market: str, symbol: str = "", reason: str = "") -> Coverage:
        row, _ = Coverage.objects.get_or_create(
            account=self.account,
            kind=kind,
            market=market,
            symbol=symbol,
            defaults={"reason": reason},
        )
        return row
