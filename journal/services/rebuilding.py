"""The ledger's results, kept in PostgreSQL: computed anew for the books that are due, written only
where something has changed, so that a trade keeps its row and its stamps."""

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F

from accounts.models import ExchangeAccount, User
from journal import ledger
from journal.ledger.regroup import Owned, Regrouped
from journal.models import (
    Book,
    Fill,
    LedgerProblem,
    Market,
    OpenPosition,
    Preferences,
    Realized,
    Trade,
    TradeFill,
)
from journal.services.books import Material, gather, needs_of
from journal.sync import prices
from journal.sync.prices import minute_of

log = structlog.get_logger(__name__)

PLACES = Decimal(1).scaleb(-18)
# behind the last digit that counts, as PostgreSQL gives its decimals
ZEROS = re.compile(r"(\d+\.\d*?[1-9]|\d+(?=\.0+\b))\.?0+\b")
# What a rebuild may change in a row that stays; the stamps are not among it.
COMPUTED = (
    "opened_at", "closed_at", "quantity", "entry_price", "exit_price", "gross", "fees", "funding",
    "net", "rate", "gross_money", "fees_money", "funding_money", "net_money", "size_money",
    "exchange_realized", "fill_count", "maker_share", "by_hand",
)  # fmt: skip


def rebuild_due(
    account: ExchangeAccount,
    ask: Callable[..., Any] | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Build the books that are due; returns their names. `ask` is a public GET for prices that are
    missing; without it what is known is used. Raises ExchangeError where prices cannot be had."""
    due = list(Book.objects.filter(account=account, built__lt=F("version")).order_by("pk"))
    if ask is not None and due:
        prices.fetch(needs_of(due), ask)
    for number, book in enumerate(due):
        rebuild(book)
        if on_step is not None:
            on_step(number + 1, len(due))
    return [book.name for book in due]


def rebuild_everything(user: User) -> None:
    """All books of a user are due: the method has changed, say."""
    Book.objects.filter(account__user=user).update(version=F("version") + 1)


def follow_currency() -> None:
    """Users that want another report currency than their trades were computed in."""
    for user in User.objects.exclude(exchange_accounts=None):
        chosen, _ = Preferences.objects.get_or_create(user=user)
        if chosen.built_currency != user.report_currency:
            with transaction.atomic():
                rebuild_everything(user)
                chosen.built_currency = user.report_currency
                chosen.save(update_fields=["built_currency"])


def rebuild(book: Book) -> None:
    """One book, in one transaction: another writer waits, a killed one leaves it due."""
    with transaction.atomic():
        row = (
            Book.objects.select_for_update(of=("self",))
            .select_related("account__user")
            .get(pk=book.pk)
        )
        version = row.version
        material = gather(row)
        found = material.compute(_method(row.account))
        with localcontext(prec=60):
            _write(row, material, found, material.regroup(found))
        Book.objects.filter(pk=row.pk).update(built=version)
    log.info("book built", account=str(row.account_id), book=row.name, trades=len(found.trades))


def _method(account: ExchangeAccount) -> str:
    chosen = Preferences.objects.filter(user=account.user_id).values_list("method", flat=True)
    return chosen.first() or Preferences.Method.FIFO


def _write(book: Book, material: Material, found: ledger.Ledger, grouped: Regrouped) -> None:
    mine = {"account_id": book.account_id, "market": book.market}
    symbols = _symbols_of(book, material)
    before = {t.key: t for t in Trade.objects.filter(**mine, symbol__in=symbols)}
    trades = grouped.trades
    rates = _rates(material, trades, book.account.user.report_currency)
    fresh, changed = [], []
    for trade in trades:
        row = _trade_row(book, trade, material, rates)
        row.by_hand = grouped.by_hand.get(trade.key, "")
        old = before.pop(trade.key, None)
        if old is None:
            fresh.append((row, trade))
        elif _differs(old, row):
            for name in COMPUTED:
                setattr(old, name, getattr(row, name))
            old.is_stamp_final = False
            old.stamped_at = None
            changed.append((old, trade))
    Trade.objects.filter(pk__in=[old.pk for old in before.values()]).delete()
    Trade.objects.bulk_create([row for row, _ in fresh], batch_size=500)
    Trade.objects.bulk_update(
        [row for row, _ in changed], [*COMPUTED, "is_stamp_final", "stamped_at"], batch_size=200
    )
    touched = [*fresh, *changed]
    _write_fills(touched, material, is_new=len(changed) == 0)
    _write_realized(book, touched, material, grouped.matches)
    _write_positions(mine, symbols, material, found.positions)
    _write_problems(mine, symbols, found.problems, material)


def _symbols_of(book: Book, material: Material) -> list[str]:
    """Also those that had trades before and have no fills any more."""
    had = Trade.objects.filter(account_id=book.account_id, market=book.market)
    had = had.filter(base=book.name) if book.market == Market.SPOT else had.filter(symbol=book.name)
    return sorted({*material.assets, *had.values_list("symbol", flat=True)})


def _differs(old: Trade, new: Trade) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in COMPUTED)


def _rates(
    material: Material, trades: Sequence[ledger.Trade], currency: str
) -> dict[tuple[str, Any], Decimal]:
    """(quote, minute) -> what one was worth in the report currency; dollar coins are dollars."""
    needs = {(material.assets[t.symbol][1], minute_of(t.closed_at or t.opened_at)) for t in trades}
    known = prices.load(needs | {(currency, minute) for _, minute in needs})
    rates = {}
    for asset, minute in needs:
        dollars, unit = known.get((asset, minute)), known.get((currency, minute))
        if dollars is not None and unit is not None:
            same = asset == currency
            rates[asset, minute] = Decimal(1) if same else dollars.price / unit.price
    return rates


def _trade_row(
    book: Book, trade: ledger.Trade, material: Material, rates: dict[tuple[str, Any], Decimal]
) -> Trade:
    base, quote = material.assets[trade.symbol]
    moment = minute_of(trade.closed_at or trade.opened_at)
    rate = rates.get((quote, moment))
    fills = _fills_of(trade, material)
    sums = {"gross": trade.gross, "fees": trade.fees, "funding": trade.funding, "net": trade.net}
    money = {"size": trade.entry_price * trade.quantity, **sums}
    reported = {
        f"{name}_money": None if rate is None else rounded(value * rate)
        for name, value in money.items()
    }
    return Trade(
        account_id=book.account_id, key=trade.key, market=book.market, symbol=trade.symbol,
        base=base, quote=quote, position_side=trade.key.split(":")[3], direction=trade.direction,
        opened_at=trade.opened_at, closed_at=trade.closed_at, quantity=rounded(trade.quantity),
        entry_price=rounded(trade.entry_price),
        exit_price=None if trade.exit_price is None else rounded(trade.exit_price),
        **{name: rounded(value) for name, value in sums.items()}, **reported,
        rate=None if rate is None else rounded(rate),
        exchange_realized=_realized_by_exchange(book, trade, fills),
        fill_count=len(trade.fill_ids), maker_share=_maker_share(fills),
    )  # fmt: skip


def _fills_of(trade: ledger.Trade, material: Material) -> list[Fill]:
    known = (material.known.get((trade.symbol, fill_id)) for fill_id in trade.fill_ids)
    return [fill for fill in known if fill is not None]


def _realized_by_exchange(book: Book, trade: ledger.Trade, fills: list[Fill]) -> Decimal | None:
    if book.market == Market.SPOT:
        return None
    closing = "SELL" if trade.direction == "LONG" else "BUY"
    return rounded(
        sum((f.realized for f in fills if f.side == closing and f.realized is not None), Decimal(0))
    )


def _maker_share(fills: list[Fill]) -> Decimal:
    total = sum((fill.quantity for fill in fills), Decimal(0))
    made = sum((fill.quantity for fill in fills if fill.is_maker), Decimal(0))
    return (made / total).quantize(Decimal("0.000001")) if total else Decimal(0)


def _write_fills(
    touched: Iterable[tuple[Trade, ledger.Trade]], material: Material, *, is_new: bool
) -> None:
    rows, kept = [], []
    for row, trade in touched:
        kept.append(row.pk)
        entry = "BUY" if trade.direction == "LONG" else "SELL"
        rows += [
            TradeFill(trade=row, fill=fill, is_entry=fill.side == entry)
            for fill in _fills_of(trade, material)
        ]
    if not is_new:
        TradeFill.objects.filter(trade__in=kept).delete()
    TradeFill.objects.bulk_create(rows, batch_size=2000, ignore_conflicts=True)


def _write_realized(
    book: Book,
    touched: list[tuple[Trade, ledger.Trade]],
    material: Material,
    matches: Iterable[Owned],
) -> None:
    """Each match with the trade that it closed something of."""
    times: dict[Any, Any] = {(f.symbol, f.id): f.time for f in material.fills}
    moves = {item.id: item.time for item in material.transfers}
    rows_of = {trade.key: row for row, trade in touched}
    rows = []
    for symbol, match, key in matches:
        opened, closed = (symbol, match.opened_by), (symbol, match.closed_by)
        owner = rows_of.get(key)
        if owner is None or closed not in times:
            continue
        opened_at = times.get(opened) or moves.get(match.opened_by)
        rows.append(
            Realized(
                account_id=book.account_id, trade=owner, market=book.market, symbol=owner.symbol,
                opened_by=str(match.opened_by), closed_by=str(match.closed_by),
                opened_at=opened_at, closed_at=times[closed],
                quantity=rounded(match.quantity), entry_price=rounded(match.entry_price),
                exit_price=rounded(match.exit_price), gross=rounded(match.gross),
                fees=rounded(match.fees), net=rounded(match.net),
            )
        )  # fmt: skip
    _make_exact(rows)
    Realized.objects.filter(trade__in=[row.pk for row, _ in touched]).delete()
    Realized.objects.bulk_create(rows, batch_size=1000)


def _make_exact(rows: Sequence[Realized]) -> None:
    """Each amount was rounded at its 18th place: a trade's last lot takes what that left over, so
    that lots add up to their trade."""
    by_trade: dict[int, list[Realized]] = {}
    for row in rows:
        by_trade.setdefault(row.trade.pk, []).append(row)
    for lots in by_trade.values():
        last, trade = lots[-1], lots[-1].trade
        last.gross += trade.gross - sum((lot.gross for lot in lots), Decimal(0))
        last.fees += trade.fees - sum((lot.fees for lot in lots), Decimal(0))
        for lot in lots:
            lot.net = lot.gross - lot.fees


def _write_positions(
    mine: dict[str, Any],
    symbols: list[str],
    material: Material,
    positions: Sequence[ledger.Position],
) -> None:
    OpenPosition.objects.filter(**mine, symbol__in=symbols).delete()
    OpenPosition.objects.bulk_create(
        OpenPosition(
            **mine, symbol=p.symbol, position_side=p.position_side,
            base=material.assets[p.symbol][0], quote=material.assets[p.symbol][1],
            quantity=rounded(p.quantity), known_quantity=rounded(p.known_quantity),
            realized_gross=rounded(p.realized_gross),
            average_price=None if p.average_price is None else rounded(p.average_price),
            fees=rounded(p.fees), funding=rounded(p.funding),
        )
        for p in positions
    )  # fmt: skip


def _write_problems(
    mine: dict[str, Any],
    symbols: list[str],
    problems: Sequence[ledger.Problem],
    material: Material,
) -> None:
    """A problem names a fill; with several symbols in a book the first one stands for it."""
    LedgerProblem.objects.filter(**mine, symbol__in=symbols).delete()
    if not symbols:
        return
    homes = {fill.id: fill.symbol for fill in material.fills}
    LedgerProblem.objects.bulk_create(
        LedgerProblem(
            **mine, symbol=homes.get(p.fill_id, symbols[0]), kind=p.kind, fill_id=str(p.fill_id),
            quantity=rounded(p.quantity), message=ZEROS.sub(r"\1", p.message),
        )
        for p in problems
    )  # fmt: skip


def rounded(value: Decimal) -> Decimal:
    """To the 18 places that PostgreSQL keeps; in a context of 60 digits."""
    with localcontext(prec=60):
        return value.quantize(PLACES, ROUND_HALF_EVEN)
