"""An account's REST for code that reads page after page: it waits where Binance asks it to, tries
again where that helps, and says how it goes on."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.models import ExchangeAccount
from accounts.services import credentials
from market.binance.account import AccountRest
from market.binance.budgets import governors
from market.binance.errors import MustWait, TryAgain
from market.binance.governor import Governor, Limit
from market.binance.signing import Addresses, no_credentials
from market.hot import store

# Binance, 2026: /sapi calls that count by account have 180,000 a minute of their own.
UID_WEIGHT = 180_000
TRIES = 6
WAIT = gettext_noop(
    "Binance asked us to wait %(seconds)s s. Nothing is lost; syncing goes on by itself."
)
AWAY = gettext_noop("Binance does not answer; tried again in %(seconds)s s.")
LONGEST_WAIT_SECONDS = 300.0


class Reader:
    """A context manager: it opens the account's key and forgets it at the end.

    `on_call` is called before each request with an empty text, and while waiting with a text and
    the seconds left; it may raise to stop. `kind` is its class of
    the weight budget. Without an account only `read_public` works. Raises
    keyfiles.KeyProblem, envelope.NotOurs on entering.
    """

    def __init__(
        self,
        account: ExchangeAccount | None,
        why: str,
        on_call: Callable[[str, int], None],
        kind: str = "backfill",
    ) -> None:
        self._kind = kind
        self.account = account
        self.why = why
        self._on_call = on_call
        self._runner = asyncio.Runner()

    def __enter__(self) -> "Reader":
        if self.account is None:
            opened = no_credentials()
        else:
            opened = credentials.load(self.account, why=self.why)
        try:
            self._rest = self._runner.run(self._open(opened))
        finally:
            opened.api_key.wipe()
            opened.secret.wipe()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._close())
        self._runner.close()

    def read(self, path: str, **params: object) -> Any:
        """A signed GET as JSON. Raises BadKey, ClockDiffers, Refused; TryAgain or MustWait after
        several tries."""
        return self._patiently(lambda: self._rest.read(path, **params))

    def read_once(self, path: str, **params: object) -> Any:
        """As `read`, for what can be done without: an exchange that is away is not waited for."""
        return self._patiently(lambda: self._rest.read(path, **params), tries_away=1)

    def read_if_room(self, path: str, **params: object) -> Any | None:
        """As `read`, for what can be asked later as well: None where one would have to wait."""
        try:
            return self._runner.run(self._rest.read(path, **params))
        except (MustWait, TryAgain):
            return None

    def read_public(self, path: str, **params: object) -> Any:
        return self._patiently(lambda: self._rest.read_public(path, **params))

    def download(self, address: str) -> bytes:
        body: bytes = self._patiently(lambda: self._rest.download(address))
        return body

    def exchange_now(self) -> datetime:
        """The exchange's time, as far as it was measured: before a question, so that an answer is
        never taken for newer than it is."""
        return timezone.now() + timedelta(milliseconds=self._rest.clock_offset_ms)

    def pause(self, seconds: float, note: str) -> None:
        """Wait, saying why."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._on_call(note, int(left) + 1)
            time.sleep(min(left, 1.0))

    def _patiently(self, ask: Callable[[], Any], tries_away: int = TRIES) -> Any:
        for attempt in range(1, TRIES + 1):
            self._on_call("", 0)
            try:
                return self._runner.run(ask())
            except MustWait as error:
                is_last = attempt >= min(TRIES, tries_away)
                if is_last or error.seconds > LONGEST_WAIT_SECONDS:
                    raise
                self.pause(error.seconds, WAIT)
            except TryAgain:
                if attempt >= tries_away:
                    raise
                self.pause(2.0**attempt / 2, AWAY)
        raise AssertionError("a loop without an end")

    async def _open(self, opened: Any) -> AccountRest:
        self._client = store.connect(settings.REDIS_URL)
        limits = governors(self._client)
        if self.account is not None:
            own = Limit(f"{settings.BINANCE_SPOT_API_URL}/sapi/{self.account.pk}", UID_WEIGHT)
            limits["uid"] = Governor(self._client, own, settings.WEIGHT_BUDGET_PCT)
        addresses = Addresses(settings.BINANCE_SPOT_API_URL, settings.BINANCE_FUTURES_API_URL)
        return AccountRest(addresses, opened, limits, kind=self._kind, patience=2.0)

    async def _close(self) -> None:
        await self._rest.aclose()
        await self._client.aclose()
