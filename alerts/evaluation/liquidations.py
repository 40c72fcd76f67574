"""The exchange's liquidations of all futures, heard in a thread while an alert asks for them."""

import threading
import time
from collections import defaultdict, deque
from decimal import Decimal, InvalidOperation

import msgspec
import structlog
import websockets
from websockets.sync.client import connect

from market.binance.frames import decode_liquidation
from market.binance.routes import addresses

log = structlog.get_logger(__name__)

STREAM = "!forceOrder@arr"
SILENCE_SECONDS = 1.0
PAUSE_SECONDS = 5.0
# Of each future so many are kept, and so long (s).
MOST_KEPT, KEPT_S = 5000, 86_400


class Liquidations:
    """`since_ms`: from when on nothing is missing; 0 while nobody listens."""

    def __init__(self, base_url: str) -> None:
        self._address = f"{addresses('usdm', base_url)['market']}{STREAM}"
        # symbol -> (epoch ms, value in quote), oldest first
        self._heard: dict[str, deque[tuple[int, Decimal]]] = defaultdict(
            lambda: deque(maxlen=MOST_KEPT)
        )
        self.since_ms = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def listen(self) -> None:
        """Begin, if it has not begun."""
        if self._thread is None or not self._thread.is_alive():
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="liquidations", daemon=True)
            self._thread.start()

    def end(self) -> None:
        self._stop.set()

    def within(self, symbol: str, window_s: int, now_ms: int) -> Decimal | None:
        """Their value of the last seconds; None where not all of them were heard."""
        first_ms = now_ms - window_s * 1000
        if not self.since_ms or self.since_ms > first_ms:
            return None
        return sum((value for at, value in list(self._heard[symbol]) if at > first_ms), Decimal(0))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._hear()
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                log.warning("liquidations not heard", error=type(error).__name__)
            self.since_ms = 0
            self._stop.wait(PAUSE_SECONDS)

    def _hear(self) -> None:
        with connect(self._address, open_timeout=10, max_size=2**20) as connection:
            self.since_ms = int(time.time() * 1000)
            while not self._stop.is_set():
                try:
                    frame = connection.recv(timeout=SILENCE_SECONDS)
                except TimeoutError:  # nobody was liquidated
                    continue
                self._take(frame)

    def _take(self, frame: str | bytes) -> None:
        try:
            order = decode_liquidation(frame).data.order
            value = Decimal(order.quantity) * Decimal(order.price)
        except (msgspec.DecodeError, InvalidOperation) as error:
            log.warning("malformed frame", kind="forceOrder", error=str(error)[:100])
            return
        heard = self._heard[order.symbol]
        heard.append((order.time, value))
        while heard and heard[0][0] < order.time - KEPT_S * 1000:
            heard.popleft()
