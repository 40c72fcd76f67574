"""Trade histories of spot and of USD-M futures: one row is one fill."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal

from journal.checking import check_fill
from journal.faults import Bad
from journal.files import cells, words
from journal.files.found import FoundFill, Place, Reading
from journal.files.hedging import tell_sides
from journal.files.pairs import Pairs, coins_of, coins_told, symbol_of

ZERO = Decimal(0)
COINM = re.compile(r"[A-Z0-9]+USD_(?:PERP|[0-9]{6})")
WHOLE = re.compile(r"[0-9]{1,18}")


@dataclass(slots=True)
class Row:
    """One row with the names of its columns."""

    member: str
    line: int
    cells: Sequence[str]
    places: dict[str, int]
    zone: tzinfo | None
    now: datetime

    def text(self, name: str) -> str:
        """Empty where the column or the cell is not there, or says nothing."""
        number = self.places.get(name)
        if number is None or number >= len(self.cells):
            return ""
        shown = cells.shown(self.cells[number])
        return "" if cells.is_empty(shown) else shown

    def needed(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise Bad("column", column=name)
        return value

    def number(self, name: str) -> Decimal:
        return cells.number(self.needed(name))

    def identity(self, name: str) -> int | None:
        """None where a spreadsheet has made a rounded number of it."""
        value = self.text(name)
        return int(value) if WHOLE.fullmatch(value) else None

    def side(self) -> str:
        text = self.needed("side")
        side = words.side(text)
        if side is None:
            raise Bad("side", was=text)
        return side

    def place(self) -> Place:
        wall, zone = cells.moment(self.needed("time"), self.now)
        return Place(self.member, self.line, wall, zone or self.zone)


def read_spot(row: Row, pairs: Pairs, reading: Reading) -> None:
    symbol = symbol_of(row.needed("symbol"))
    price = row.number("price")
    executed, amount = row.needed("quantity"), row.needed("value")
    told = coins_told(symbol, executed, amount, price, reading.coins.get(symbol))
    if told is not None:
        base, quote, quantity, value = told
        base, quote = reading.coins.setdefault(symbol, (base, quote))
    else:
        base, quote = coins_of("spot", symbol, pairs)
        quantity, value = _in(executed, base), _in(amount, quote)
    fee, fee_asset = _fee(row, base, quote)
    _keep(
        reading,
        FoundFill(
            row.place(),
            "spot",
            symbol,
            base,
            quote,
            row.side(),
            price,
            quantity,
            value,
            fee,
            fee_asset,
            trade_id=row.identity("trade_id"),
            order_id=row.identity("order_id") or 0,
            is_maker=_is_true(row.text("maker")),
        ),
    )


def read_usdm(row: Row, pairs: Pairs, reading: Reading) -> None:
    """A contract that is not listed any more tells its coins by its name."""
    symbol = symbol_of(row.needed("symbol"))
    if COINM.fullmatch(symbol):
        if reading.parts[-1].rows == 1:
            reading.parts[-1].kind = "coinm"
        raise Bad("coinm", was=symbol)
    base, quote = coins_of("usdm", symbol, pairs)
    price, quantity = row.number("price"), row.number("quantity")
    value = cells.with_any_coin(row.text("amount"))[0] if row.text("amount") else None
    if value is not None and value < 0 < price:
        raise Bad("quantity", was=value)
    fee, fee_asset = _fee(row, base, row.text("quote").upper() or quote)
    side = (row.text("position_side") or "BOTH").upper()
    _keep(
        reading,
        FoundFill(
            row.place(),
            "usdm",
            symbol,
            base,
            quote,
            row.side(),
            price,
            quantity,
            price * quantity if value is None else value,
            fee,
            fee_asset,
            position_side=side,
            realized=cells.with_any_coin(row.needed("realized_profit"))[0],
            is_maker=_is_true(row.text("maker")),
            trade_id=row.identity("trade_id"),
            order_id=row.identity("order_id") or 0,
        ),
    )


def _keep(reading: Reading, fill: FoundFill) -> None:
    check_fill(
        symbol=fill.symbol,
        base=fill.base,
        quote=fill.quote,
        side=fill.side,
        position_side=fill.position_side,
        price=fill.price,
        quantity=fill.quantity,
        value=fill.value,
        fee=fill.fee,
        fee_asset=fill.fee_asset,
        realized=fill.realized,
        trade_id=fill.trade_id or 0,
        order_id=fill.order_id,
    )
    reading.fills.append(fill)


def _in(text: str, coin: str) -> Decimal:
    """A number alone, or with this very coin."""
    amount = cells.in_coin(text, coin)
    if amount is not None:
        return amount
    value, other = cells.with_any_coin(text)
    if other:
        raise Bad("number_coin", was=text)
    return value


def _fee(row: Row, base: str, quote: str) -> tuple[Decimal, str]:
    """A fee above nothing has a coin: of the pair, of its own column, or glued to it."""
    text = row.text("fee")
    if not text:
        return ZERO, ""
    for coin in (base, quote):
        amount = cells.in_coin(text, coin)
        if amount is not None:
            return amount, coin if amount else ""
    fee, coin = cells.with_any_coin(text)
    coin = coin or row.text("fee_coin").upper()
    if not coin and "quote" in row.places:
        coin = quote
    if fee and not coin:
        raise Bad("fee_coin", was=text)
    return fee, coin if fee else ""


def _is_true(text: str) -> bool:
    return text.strip().lower() in {"true", "yes", "1", "maker"}


# --- what rows tell together --------------------------------------------------------------------


def order_rows(fills: Sequence[FoundFill], *, newest_first: bool = True) -> None:
    """Exports run from the newest to the oldest, or the other way round: most neighbours tell. Rows
    of one second keep the order of their file, as time runs. `newest_first` where none tells."""
    falls = rises = 0
    for one, other in zip(fills, fills[1:], strict=False):
        falls += one.place.moment > other.place.moment
        rises += one.place.moment < other.place.moment
    is_newest_first = falls > rises or (newest_first and falls == rises)
    for number, fill in enumerate(fills):
        fill.rank = -number if is_newest_first else number


def drop_repeated(reading: Reading) -> None:
    """Exports of an archive may overlap: what two of its files tell is one row, what one file tells
    twice is two."""
    told: Counter[tuple[object, ...]] = Counter()
    kept: dict[tuple[object, ...], int] = {}
    fills = []
    for fill in reading.fills:
        like = (
            fill.market,
            fill.symbol,
            fill.side,
            fill.price,
            fill.quantity,
            fill.from_statement,
            fill.place.at(None),
        )
        told[fill.place.member, *like] += 1
        count = told[fill.place.member, *like]
        if fill.trade_id is not None or count > kept.get(like, 0):
            kept[like] = count
            fills.append(fill)
    reading.fills = fills


def finish(reading: Reading) -> None:
    """The site's export of futures names no position side; what each row realised tells it."""
    contracts: dict[str, list[FoundFill]] = {}
    for fill in reading.fills:
        if fill.market == "usdm":
            contracts.setdefault(fill.symbol, []).append(fill)
    for fills in contracts.values():
        if all(fill.position_side == "BOTH" for fill in fills):
            fills.sort(key=lambda fill: (fill.place.at(None), fill.trade_id or 0, fill.rank))
            tell_sides(fills)
