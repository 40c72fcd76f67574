"""What a user stream says -> rows, at once; and what has to be asked over REST because of it.

Sources: user-data-stream.md of binance-spot-api-docs (2026-08), USD-M user data streams (2026-08).
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import ExchangeAccount
from accounts.services.reader import Reader
from journal import live
from journal.books import rebuilding
from journal.books.protecting import protect_account
from journal.models import ConditionalOrder, Fill, FuturesPosition, Market, Order, Source, Sync
from journal.stream import order_events
from journal.sync.coins import Coins, coins_of
from journal.sync.doorkeeping import Busy, lock
from journal.sync.saving import save_balances, save_fills
from journal.sync.saving_orders import save_conditionals, save_lists, save_orders
from lib.dates import from_ms
from market.binance.errors import ExchangeError
from market.jobs.guarding import be_impatient
from market.models import Listing

log = structlog.get_logger(__name__)

Json = dict[str, Any]
# Of a spot order's execution types, the one that carries a trade.
TRADE = "TRADE"
# Of a futures order's, those that may carry one; a liquidation's may come without its fill.
FUTURES_TRADES = {TRADE, "CALCULATED"}
# What reading an event that is not as documented may raise.
UNREADABLE = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError)


@dataclass
class Heard:
    """What an event came to. `needs_rest`: something happened that it does not tell in full."""

    fills: list[Fill] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    conditionals: list[ConditionalOrder] = field(default_factory=list)
    # trades whose stops and targets have to be made out again
    has_marked: bool = False
    balances: Json = field(default_factory=dict)
    needs_rest: bool = False
    # its fill is not kept yet: another door is at the account's history
    must_wait: bool = False


def take(account: ExchangeAccount, event: Json) -> Heard:
    """Keep what an event tells; heard twice it changes nothing. Raises one of UNREADABLE for an
    event that is not as documented, and OperationalError (`is_locked`) for a row that somebody
    holds, then nothing is kept. Nothing here asks the exchange or waits for a lock for more than a
    moment: every account's events wait for this one. What `must_wait` is to be taken again."""
    kind = event.get("e", "")
    heard = Heard()
    with transaction.atomic():
        be_impatient()
        if kind == "executionReport":
            _spot_order(account, event, heard)
        elif kind == "outboundAccountPosition":
            _balances(account, Market.SPOT, event["B"], event["E"], heard)
        elif kind in {
            "balanceUpdate",
            "externalLockUpdate",
            "listenKeyExpired",
            "eventStreamTerminated",
        }:
            heard.needs_rest = True
        elif kind == "ORDER_TRADE_UPDATE":
            _usdm_order(account, event["o"], heard)
        elif kind == "ACCOUNT_UPDATE":
            _usdm_account(account, event, heard)
        elif kind == "ALGO_UPDATE":
            heard.conditionals = save_conditionals([order_events.conditional(account, event)])
            heard.has_marked = bool(heard.conditionals)
        elif kind == "listStatus":
            save_lists([order_events.order_list(account, event)])
        if heard.has_marked:
            protect_account(account)
        if heard.needs_rest and not heard.must_wait:
            ask_soon(account)
    _tell(account, heard)
    return heard


def rebuild(account: ExchangeAccount) -> None:
    """Its trades, with the prices so far of the minutes that its fees need; what is much work is
    left to a worker. Raises OperationalError (`is_locked`) where one is at it already."""
    with Reader(None, "prices", lambda note, seconds: None, "account") as reader:
        try:
            rebuilding.rebuild_due(account, reader.read_public, lightly=True)
        except ExchangeError as error:  # a missing price is a problem of its own, not a lost fill
            log.warning("prices not asked", error=type(error).__name__)
            rebuilding.rebuild_due(account, lightly=True)


def ask_soon(account: ExchangeAccount, *, whole: bool = False) -> None:
    """REST is asked within seconds: for lines of income and deposits, or, after a break, for
    everything, since nobody knows what was missed."""
    due = {"is_due": True, **({"whole_at": None} if whole else {})}
    with transaction.atomic():
        be_impatient()
        Sync.objects.filter(account=account).update(**due)


def _spot_order(account: ExchangeAccount, event: Json, heard: Heard) -> None:
    at = from_ms(event["T"])
    _keep_order(order_events.spot(account, event), heard)
    if event["x"] != TRADE or event["t"] < 0:
        return
    base, quote = _coins(account, Market.SPOT, event["s"])
    _keep_fill(
        account,
        Fill(
            account=account,
            market=Market.SPOT,
            symbol=event["s"],
            trade_id=event["t"],
            order_id=event["i"],
            base=base,
            quote=quote,
            side=event["S"],
            price=Decimal(event["L"]),
            quantity=Decimal(event["l"]),
            quote_quantity=Decimal(event["Y"]),
            fee=Decimal(event["n"]),
            fee_asset=event.get("N") or "",
            is_maker=event["m"],
            time=at,
            source=Source.STREAM,
        ),
        heard,
    )


def _usdm_order(account: ExchangeAccount, order: Json, heard: Heard) -> None:
    at = from_ms(order["T"])
    side = order.get("ps", "BOTH")
    _keep_order(order_events.usdm(account, order), heard)
    if order["x"] not in FUTURES_TRADES:
        return
    heard.needs_rest = True  # its lines of income have ids that only REST tells
    if not order["t"]:  # of a liquidation REST tells the fill too
        return
    base, quote = _coins(account, Market.USDM, order["s"])
    price, quantity = Decimal(order["L"]), Decimal(order["l"])
    _keep_fill(
        account,
        Fill(
            account=account,
            market=Market.USDM,
            symbol=order["s"],
            trade_id=order["t"],
            order_id=order["i"],
            base=base,
            quote=quote,
            side=order["S"],
            position_side=side,
            price=price,
            quantity=quantity,
            quote_quantity=price * quantity,
            fee=Decimal(order.get("n") or "0"),
            fee_asset=order.get("N") or "",
            realized=Decimal(order.get("rp") or "0"),
            is_maker=order["m"],
            time=at,
            source=Source.STREAM,
        ),
        heard,
    )


def _usdm_account(account: ExchangeAccount, event: Json, heard: Heard) -> None:
    news = event["a"]
    held = [{"a": item["a"], "f": item["wb"], "l": "0"} for item in news.get("B", [])]
    _balances(account, Market.USDM, held, event["E"], heard)
    now = from_ms(event["E"])
    for item in news.get("P", []):
        positions = FuturesPosition.objects.filter(
            account=account, symbol=item["s"], position_side=item.get("ps", "BOTH")
        )
        quantity = Decimal(item["pa"])
        if not quantity:
            positions.filter(updated_at__lte=now).delete()
        elif not positions.filter(updated_at__lte=now).update(
            quantity=quantity, entry_price=Decimal(item["ep"]), updated_at=now
        ):
            heard.needs_rest = True  # a new one: its leverage and liquidation price come by REST
    if news.get("m") != "ORDER":
        heard.needs_rest = True


def _balances(
    account: ExchangeAccount, wallet: str, items: list[Json], event_ms: int, heard: Heard
) -> None:
    held = {item["a"]: (Decimal(item["f"]), Decimal(item["l"])) for item in items}
    save_balances(account, wallet, held, from_ms(event_ms), is_whole=False)
    heard.balances |= {
        f"{wallet}:{asset}": {"free": str(free), "locked": str(locked)}
        for asset, (free, locked) in held.items()
    }


def _keep_order(order: Order, heard: Heard) -> None:
    heard.has_marked = save_orders([order]) or heard.has_marked
    heard.orders.append(order)


def _keep_fill(account: ExchangeAccount, fill: Fill, heard: Heard) -> None:
    try:
        lock(account, patience=0)
    except Busy:
        heard.must_wait = True
    else:
        heard.fills += save_fills(account, [fill])


def _coins(account: ExchangeAccount, market: str, symbol: str) -> Coins:
    """Raises ValueError for a symbol whose coins nothing tells: one that was listed within the hour
    against a coin that nobody was listed against before."""
    rows = Listing.objects.filter(venue=account.venue)
    listed = {row.symbol: row for row in rows.filter(market=market, symbol=symbol)}
    quotes = () if listed else set(rows.values_list("quote_asset", flat=True).distinct())
    coins = coins_of(symbol, listed, quotes)
    if coins is None:
        raise ValueError(f"expected a symbol of known coins, was {symbol}")
    return coins


def _tell(account: ExchangeAccount, heard: Heard) -> None:
    """The owner's pages, by the topic `account`."""
    now_ms = int(timezone.now().timestamp() * 1000)
    name = str(account.pk)
    for fill in heard.fills:
        slot = f"fill:{fill.market}:{fill.symbol}:{fill.trade_id}"
        live.tell(
            account.user_id,
            "account",
            slot,
            now_ms,
            {
                "kind": "fill",
                "account": name,
                "market": fill.market,
                "symbol": fill.symbol,
                "trade_id": fill.trade_id,
                "side": fill.side,
                "price": str(fill.price),
                "quantity": str(fill.quantity),
                "fee": str(fill.fee),
                "fee_asset": fill.fee_asset,
            },
        )
    for order in heard.orders:
        slot = f"order:{order.market}:{order.symbol}:{order.order_id}"
        live.tell(
            account.user_id,
            "account",
            slot,
            now_ms,
            {
                "kind": "order",
                "account": name,
                "market": order.market,
                "symbol": order.symbol,
                "order_id": order.order_id,
                "side": order.side,
                "type": order.type,
                "status": order.status,
                "price": str(order.price),
                "quantity": str(order.quantity),
                "executed": str(order.executed),
            },
        )
    for waiting in heard.conditionals:
        slot = f"conditional:{waiting.symbol}:{waiting.algo_id}"
        body = order_events.told(waiting) | {"kind": "conditional", "account": name}
        live.tell(account.user_id, "account", slot, now_ms, body)
    if heard.balances:
        live.tell(
            account.user_id,
            "account",
            f"balance:{name}",
            now_ms,
            {"kind": "balance", "account": name, "balances": heard.balances},
        )
