"""Gathering: a book's material from everything that moved its coin, or its contract."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone

from journal import ledger
from journal.books import holdings, incomes
from journal.books.due import HALF_AWAY
from journal.books.material import Material, Start, as_ledger_fill
from journal.books.movements import Movements, funding_of
from journal.books.presence import Presence, presence_since
from journal.books.prices import minute_of
from journal.books.stated import stated_costs
from journal.ledger.checkpoints import TripState
from journal.ledger.regroup import Wishes as Grouping
from journal.models import (
    Book,
    Fill,
    FillMark,
    Income,
    ManualFill,
    Market,
    OpeningBalance,
    OpeningPosition,
    Preferences,
    TradeMerge,
    TradeSplit,
    Transfer,
)
from journal.models.trades import BEGINNING
from lib.cash import CASH, DOLLARS, own_name
from market.instruments import split_symbol
from market.models import FundingRate

FORGOTTEN_AFTER = timedelta(days=60)


class StartOver(Exception):
    """The book cannot go on from the checkpoint: it is computed from its first row."""


def gather(book: Book, start: Start | None = None) -> Material:
    """Everything that the book's trades depend on; with a start only what came after it. Raises
    StartOver where the book cannot go on from there."""
    account = book.account
    chosen = Preferences.objects.filter(user=account.user_id).first() or Preferences()
    names = frozenset({book.name} if book.market == Market.SPOT else ())
    material = Material(book, account.user.report_currency, chosen.method, names)
    material.start = start
    # the halves of a conversion may stand apart
    since = None if start is None else start.time - HALF_AWAY
    material.presence = presence_since(account.pk, since)
    material.wishes = _wishes(material, chosen)
    material.grouping = _grouping(material)
    if material.grouping.joined or material.grouping.cuts:
        material.may_go_on = False  # what is joined or cut may be any trade
    if book.market == Market.SPOT:
        _gather_coin(material)
    else:
        _gather_contract(material)
    _need_currency(material)
    if start is not None:
        if not material.may_go_on:
            raise StartOver
        _carry_on(material, start)
    return material


def _later(material: Material) -> Q:
    """What is after the start."""
    return Q() if material.start is None else Q(time__gt=material.start.time)


def _carry_on(material: Material, start: Start) -> None:
    """What the trades under way need that their own rows would have told."""
    for symbol, pair in start.carried.assets.items():
        material.assets.setdefault(symbol, pair)
    state = start.state
    trips: list[TripState | None] = [state.coin.trade] if state.coin is not None else []
    trips += [trip for side in state.sides for trip in (side.trip, side.last)]
    for trip in trips:
        if trip is None:
            continue
        for moment in filter(None, (trip.opened_at, trip.closed_at)):
            material.need(material.currency, moment)
            for _, quote in start.carried.assets.values():
                material.need(quote, moment)


# --- a coin ---------------------------------------------------------------------------------------


def _gather_coin(material: Material) -> None:
    book = material.book
    presence = material.presence
    names = _with_partners(book) if presence.swaps else {book.name}
    material.coins = frozenset(names)
    if len(names) > 1:
        material.may_go_on = False  # what was swapped is computed together
    stated = stated_costs(book.account_id, names) if presence.stated else {}
    if stated:
        material.wishes = replace(material.wishes, stated=stated)
        material.may_go_on = False  # a stated date may be any
    mine = Q(account_id=book.account_id) & _later(material)
    is_dollar = book.name in DOLLARS
    for model in _fills_of(presence):
        spot = Q(market=Market.SPOT, base__in=names)
        if not is_dollar:
            spot |= Q(market=Market.SPOT, quote__in=names) | Q(fee_asset__in=names)
        for fill in model.objects.filter(mine & spot).order_by("time", "id"):
            if is_dollar and fill.quote not in CASH:
                continue
            add_fill(material, fill)
    Movements(material, names).add_all()
    openings = OpeningBalance.objects.filter(mine, asset__in=names)
    for row in openings if presence.openings else ():
        material.transfers.append(
            ledger.Transfer(
                f"opening-{row.pk}",
                row.time,
                row.asset,
                row.quantity,
                kind="opening",
                account=str(row.account_id),
            )
        )
        material.need(row.asset, row.time)


def _fills_of(presence: Presence) -> tuple[type[Fill] | type[ManualFill], ...]:
    return (Fill, ManualFill) if presence.by_hand else (Fill,)


def _with_partners(book: Book) -> set[str]:
    """The coin, and those that it once was."""
    names = {book.name}
    swaps = Transfer.objects.filter(account_id=book.account_id, kind=Transfer.Kind.SWAP)
    rows = list(swaps.values_list("external_id", "asset", "amount"))
    for _ in range(len(rows)):
        ids = {name for name, asset, amount in rows if amount > 0 and own_name(asset) in names}
        before = {own_name(asset) for name, asset, amount in rows if name in ids and amount < 0}
        if before <= names:
            break
        names |= before
    return names


def add_fill(material: Material, fill: Fill | ManualFill) -> None:
    material.fills.append(as_ledger_fill(fill))
    material.assets[fill.symbol] = (fill.base, fill.quote)
    if isinstance(fill, Fill):
        material.known[fill.symbol, fill.trade_id] = fill
    if fill.quote not in DOLLARS and fill.base not in DOLLARS:
        material.need(fill.quote, fill.time)
        material.need(fill.base, fill.time)
    if fill.fee and fill.fee_asset not in {fill.base, fill.quote, ""}:
        material.need(fill.fee_asset, fill.time)


# --- a contract -----------------------------------------------------------------------------------


def _gather_contract(material: Material) -> None:
    book = material.book
    mine = {"account_id": book.account_id, "market": book.market, "symbol": book.name}
    later = _later(material)
    for model in _fills_of(material.presence):
        for fill in model.objects.filter(later, **mine).order_by("time", "id"):
            add_fill(material, fill)
    rows = Income.objects.filter(later, account_id=book.account_id, symbol=book.name)
    first = min((fill.time for fill in material.fills), default=None)
    if material.start is not None:
        first = BEGINNING  # a checkpoint stands behind a fill
    has_lines = material.presence.incomes
    rates = _rates(material) if has_lines else {}
    for income in rows.order_by("time") if has_lines else ():
        kind = incomes.OF_A_CONTRACT.get(income.kind)
        if kind is not None:
            material.funding.append(funding_of(income, kind, rates))
            material.need(own_name(income.asset), income.time)
        elif (
            income.kind in incomes.WITNESSES
            and own_name(income.asset) in CASH
            and (first is None or income.time < first)
        ):
            _add_result(material, income)
    _add_openings(material)
    for fill in material.fills:
        material.need(fill.quote, fill.time)


def _add_result(material: Material, income: Income) -> None:
    """The exchange booked it for a fill that nobody told (money.md 5.4)."""
    name = f"{income.kind}-{income.external_id}"
    material.transfers.append(
        ledger.Transfer(
            name,
            income.time,
            own_name(income.asset),
            income.amount,
            kind="result",
            account=str(income.account_id),
        )
    )
    material.problems.append(
        ledger.Problem(
            "result_without_fills",
            name,
            income.amount,
            f"{income.kind} of {income.amount} {income.asset} on {income.symbol}: no fill of that "
            "time is known",
            asset=income.symbol,
            symbol=income.symbol,
            time=income.time,
        )
    )
    material.need(own_name(income.asset), income.time)


def _add_openings(material: Material) -> None:
    """By what the exchange reported when the history was read (money.md 4.2)."""
    book = material.book
    if any(item.kind == "delivery" for item in material.funding):
        return  # the exchange reports nothing of a contract that has ended
    for row in OpeningPosition.objects.filter(account_id=book.account_id, symbol=book.name):
        material.may_go_on = False  # its entry depends on what closes it
        own = [fill for fill in material.fills if fill.position_side == row.position_side]
        entry = row.reported_entry if row.reported else None
        opening = _untouched(row) if not own else None
        if own:
            held = sum((f.quantity if f.side == "BUY" else -f.quantity for f in own), Decimal(0))
            opening = ledger.opening_of(own, row.quantity + held, entry)
        if opening is None:
            continue
        material.openings.append(opening)
        material.need(_quote_of(material, row), opening.time)
        material.problems.append(
            ledger.Problem(
                "history_begins_inside_a_position",
                "opening",
                opening.quantity,
                f"{opening.quantity} {opening.symbol} were open before the first known fill, at "
                f"{opening.price:.8f}: their result is apart",
                asset=opening.symbol,
                symbol=opening.symbol,
                time=opening.time,
            )
        )


def _untouched(row: OpeningPosition) -> ledger.Opening | None:
    """Held since before history begins, without a known fill."""
    if not row.reported_entry:
        return None
    begins = holdings.since(Q(account=row.account_id))
    return ledger.Opening(
        symbol=row.symbol,
        quantity=row.quantity,
        price=row.reported_entry,
        time=begins or timezone.now(),
        account=str(row.account_id),
        position_side=row.position_side,
    )


def _quote_of(material: Material, row: OpeningPosition) -> str:
    base, quote = material.assets.get(row.symbol, ("", ""))
    if not quote:
        base, quote = split_symbol(row.symbol.partition("_")[0])
        material.assets[row.symbol] = (base, quote)
    return quote


def _rates(material: Material) -> dict[datetime, Decimal]:
    """Minute of the settlement -> its rate."""
    book = material.book
    rows = FundingRate.objects.filter(
        Q() if material.start is None else Q(time__gt=material.start.time - HALF_AWAY),
        instrument__venue=book.account.venue,
        instrument__market=book.market,
        instrument__symbol=book.name,
    )
    half = timedelta(seconds=30)
    return {minute_of(time + half): rate for time, rate in rows.values_list("time", "rate")}


# --- what its owner said --------------------------------------------------------------------------


def _wishes(material: Material, chosen: Preferences) -> ledger.Wishes:
    book = material.book
    marks = FillMark.objects.filter(account_id=book.account_id, market=book.market)
    marks = marks if material.presence.marks else marks.none()
    named = [(mark.kind, (mark.symbol, mark.fill)) for mark in marks]
    return ledger.Wishes(
        set_aside=frozenset(name for kind, name in named if kind == FillMark.Kind.ASIDE),
        keep=frozenset(name for kind, name in named if kind == FillMark.Kind.KEEP),
        gap=FORGOTTEN_AFTER if chosen.sets_aside else None,
    )


def _grouping(material: Material) -> Grouping:
    mine = {"account_id": material.book.account_id, "market": material.book.market}
    joined = TradeMerge.objects.filter(**mine).values_list("other", "key")
    split = TradeSplit.objects.filter(**mine).values_list("key", "fill")
    cuts: dict[str, list[str]] = {}
    for key, fill in split if material.presence.splits else ():
        cuts.setdefault(key, []).append(fill)
    return Grouping(dict(joined) if material.presence.merges else {}, cuts)


def _need_currency(material: Material) -> None:
    """What amounts are told in is needed whenever something may be earned."""
    events: list[Any] = [*material.fills, *material.funding, *material.transfers]
    for event in [*events, *material.conversions]:
        material.need(material.currency, event.time)
