"""What a market is worth right now, from the live book where it is followed, else from the
exchange; and what an account's fees, leverage and money are."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache

from accounts.models import ExchangeAccount
from accounts.vault.keyfiles import KeyProblem
from journal.models import Balance, FuturesPosition, Market, Wallet
from journal.services.live_prices import dollars_now
from lib.envelope import NotOurs
from market.binance.errors import ExchangeError
from market.binance.ordering import OrderRest
from market.instruments import InstrumentKey
from market.models import Listing
from market.selectors.reading import read_board
from trading.services.desk import desk
from trading.sizing import Rates

log = structlog.get_logger(__name__)

Levels = list[tuple[Decimal, Decimal]]
# Binance's standard of 2026, where the account's own are not known.
STANDARD = {
    "spot": Rates(Decimal("0.001"), Decimal("0.001")),
    "usdm": Rates(Decimal("0.0002"), Decimal("0.0005")),
}
RATES_SECONDS = 3600
LEVERAGE_SECONDS = 60
STANDARD_LEVERAGE = 20
# Of the first bracket of most contracts.
MAINTENANCE = Decimal("0.004")
PRICE_SECONDS = 2


@dataclass(frozen=True)
class Prices:
    """`mark` is what distances are measured by: a future's mark price, on spot the middle of the
    book or the last price; None: nobody tells just now."""

    bid: Decimal | None = None
    ask: Decimal | None = None
    mark: Decimal | None = None
    bids: tuple[tuple[Decimal, Decimal], ...] = ()
    asks: tuple[tuple[Decimal, Decimal], ...] = ()

    def taken(self, *, is_buy: bool) -> Decimal | None:
        """What an order at the market would begin at."""
        return (self.ask if is_buy else self.bid) or self.mark

    def levels(self, *, is_buy: bool) -> tuple[tuple[Decimal, Decimal], ...]:
        return self.asks if is_buy else self.bids


def prices_of(account: ExchangeAccount, market: str, symbol: str) -> Prices:
    tape = InstrumentKey(settings.VENUE, market, symbol)
    book = read_board(tape, "book") or {}
    bids, asks = _levels(book.get("bids")), _levels(book.get("asks"))
    bid = bids[0][0] if bids else None
    ask = asks[0][0] if asks else None
    mark = _mark(tape) if market == "usdm" else (bid + ask) / 2 if bid and ask else _last(tape)
    if mark is None:
        mark = (bid + ask) / 2 if bid and ask else _asked(account, market, symbol)
    return Prices(bid, ask, mark, tuple(bids), tuple(asks))


def rates_of(account: ExchangeAccount, market: str, symbol: str, *, may_ask: bool) -> Rates:
    """The account's own fees, remembered for an hour; `may_ask` False: never asks the exchange."""
    key = f"trading:rates:{account.pk}:{market}:{symbol}"
    known = cache.get(key)
    if known is None and may_ask:
        known = _asked_rates(account, market, symbol)
        if known is not None:
            cache.set(key, known, RATES_SECONDS)
    if known is None:
        return STANDARD[market]
    return Rates(Decimal(known[0]), Decimal(known[1]))


def leverage_of(account: ExchangeAccount, symbol: str) -> int:
    position = FuturesPosition.objects.filter(account=account, symbol=symbol).first()
    if position is not None and position.leverage:
        return int(position.leverage)
    key = f"trading:leverage:{account.pk}:{symbol}"
    known = cache.get(key)
    if known is None:
        answer = _ask(account, "/fapi/v1/symbolConfig", {"symbol": symbol})
        rows = answer if isinstance(answer, list) else []
        known = next((int(row["leverage"]) for row in rows if row.get("symbol") == symbol), None)
        if known is None:
            return STANDARD_LEVERAGE
        cache.set(key, known, LEVERAGE_SECONDS)
    return int(known)


def equity_of(account: ExchangeAccount, market: str, quote: str) -> Decimal:
    """What a percentage of risk is of, in the quote: the futures wallet, or all spot coins at what
    they are worth now (a coin without a price counts as nothing)."""
    wallet = Wallet.USDM if market == Market.USDM else Wallet.SPOT
    held = {row.asset: row.total for row in Balance.objects.filter(account=account, wallet=wallet)}
    own: Decimal = held.pop(quote, Decimal(0))
    if market == Market.USDM or not held:
        return own
    worths = dollars_now({*held, quote})
    unit = worths[quote].price if quote in worths else None
    if not unit:
        return own
    others = sum(
        (amount * worths[asset].price for asset, amount in held.items() if asset in worths),
        Decimal(0),
    )
    return own + others / unit


def listing_of(market: str, symbol: str) -> Listing | None:
    return Listing.objects.filter(venue=settings.VENUE, market=market, symbol=symbol).first()


def is_list_known(market: str) -> bool:
    """False only in the first moments of an installation."""
    return Listing.objects.filter(venue=settings.VENUE, market=market).exists()


def _mark(tape: InstrumentKey) -> Decimal | None:
    return _decimal((read_board(tape, "mark") or {}).get("mark"))


def _last(tape: InstrumentKey) -> Decimal | None:
    return _decimal((read_board(tape, "ticker") or {}).get("last"))


def _asked(account: ExchangeAccount, market: str, symbol: str) -> Decimal | None:
    """A market that nobody follows here: the exchange is asked, once in some seconds."""
    key = f"trading:price:{settings.VENUE}:{market}:{symbol}"
    known = cache.get(key)
    if known is None:
        path, name = (
            ("/fapi/v1/premiumIndex", "markPrice")
            if market == "usdm"
            else ("/api/v3/ticker/price", "price")
        )

        async def ask(rest: OrderRest) -> Any:
            return await rest.read_public(path, symbol=symbol)

        try:
            answer = desk.run(account, ask)
        except (ExchangeError, KeyProblem, NotOurs) as error:
            log.info("price not known", symbol=symbol, error=type(error).__name__)
            return None
        known = str(answer.get(name, "")) if isinstance(answer, dict) else ""
        cache.set(key, known, PRICE_SECONDS)
    return _decimal(known)


def _asked_rates(account: ExchangeAccount, market: str, symbol: str) -> tuple[str, str] | None:
    if market == "usdm":
        answer = _ask(account, "/fapi/v1/commissionRate", {"symbol": symbol})
        names = ("makerCommissionRate", "takerCommissionRate")
    else:
        answer = _ask(account, "/api/v3/account/commission", {"symbol": symbol})
        answer = answer.get("standardCommission") if isinstance(answer, dict) else None
        names = ("maker", "taker")
    if not isinstance(answer, dict) or any(name not in answer for name in names):
        return None
    return str(answer[names[0]]), str(answer[names[1]])


def _ask(account: ExchangeAccount, path: str, params: dict[str, object]) -> Any:
    """None where the exchange does not answer: what it would tell is only shown."""
    try:
        return desk.run(account, lambda rest: rest.look(path, params))
    except (ExchangeError, KeyProblem, NotOurs) as error:
        log.info("not told", path=path, error=type(error).__name__)
        return None


def _levels(rows: Any) -> Levels:
    return [(Decimal(row[0]), Decimal(row[1])) for row in rows or []]


def _decimal(value: Any) -> Decimal | None:
    return Decimal(str(value)) if value else None
