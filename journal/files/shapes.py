"""The exports that Binance's site has given over the years, told by their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from journal.checking import agrees
from journal.faults import Bad
from journal.files import cells, words

Header = Sequence[str]


@dataclass(frozen=True)
class Shape:
    """`needs`: our name -> the column's English name, one of several where given so; `never` are
    columns that tell another shape."""

    kind: str
    needs: Mapping[str, tuple[str, ...]]
    may: Mapping[str, tuple[str, ...]]
    never: frozenset[str] = frozenset()

    def places(self, header: Header) -> dict[str, int] | None:
        """Our name -> number of the column; None where it is no header of this shape."""
        if self.never & set(header):
            return None
        numbers = {}
        for ours, theirs in {**self.needs, **self.may}.items():
            number = next((header.index(name) for name in theirs if name in header), None)
            if number is not None:
                numbers[ours] = number
            elif ours in self.needs:
                return None
        return numbers


def _one(*names: str) -> dict[str, tuple[str, ...]]:
    """Columns that are called as we call them."""
    return {name.replace(" ", "_"): (name,) for name in names}


FEES = _one("fee", "fee coin")
# In this order: the first that fits counts.
SHAPES = (
    Shape("statement", _one("time", "account", "operation", "coin", "change"), _one("remark")),
    Shape("orders", _one("average price", "status"), _one("time", "symbol", "side")),
    Shape(
        "income",
        _one("time", "type", "amount", "coin", "transaction id"),
        _one("symbol"),
        frozenset({"price"}),
    ),
    Shape(
        "convert",
        _one("time", "sell", "buy"),
        _one("wallet", "status", "symbol"),
        frozenset({"executed", "quantity"}),
    ),
    Shape(
        "withdrawals",
        _one("time", "coin", "amount", "transaction fee", "status"),
        _one("txid", "network", "address"),
    ),
    Shape("deposits", _one("time", "coin", "amount", "status", "network"), _one("txid", "address")),
    Shape(
        "usdm",
        _one("time", "symbol", "side", "price", "quantity", "fee", "realized profit"),
        {
            **_one("amount", "maker", "trade id", "order id", "position side", "fee coin"),
            "quote": ("quote asset",),
        },
    ),
    # the site's of 2017 to 2021: `Amount` is the quantity where `Total` is the value
    Shape(
        "spot",
        {
            **_one("time", "price", "fee"),
            "symbol": ("market", "symbol"),
            "side": ("type", "side"),
            "quantity": ("amount",),
            "value": ("total",),
        },
        _one("fee coin"),
    ),
    Shape(
        "spot",
        {
            **_one("time", "symbol", "price", "fee"),
            "side": ("side", "type"),
            "quantity": ("executed", "quantity"),
            "value": ("amount", "total"),
        },
        _one("fee coin", "trade id", "order id", "maker"),
        frozenset({"status"}),
    ),
    Shape(
        "distributions",
        _one("time", "coin", "amount", "remark"),
        _one("status"),
        frozenset({"price", "network"}),
    ),
)
# Where a header's language is unknown, these columns in this order, if rows agree with them.
ORDERS: tuple[tuple[str, Header], ...] = (
    (
        "usdm",
        (
            "uid",
            "time",
            "symbol",
            "side",
            "price",
            "quantity",
            "amount",
            "fee",
            "realized profit",
            "buyer",
            "maker",
            "trade id",
            "order id",
        ),
    ),
    (
        "usdm",
        (
            "time",
            "symbol",
            "side",
            "price",
            "quantity",
            "amount",
            "fee",
            "realized profit",
            "quote asset",
        ),
    ),
    ("spot", ("time", "symbol", "side", "price", "executed", "amount", "fee")),
    ("spot", ("time", "market", "type", "price", "amount", "total", "fee", "fee coin")),
)


def shape_of(header: Header) -> tuple[Shape, dict[str, int]] | None:
    """Of a row of cells, if it is a header."""
    names = [words.column(cell) for cell in header]
    for shape in SHAPES:
        places = shape.places(names)
        if places is not None:
            return shape, places
    return None


def is_header(header: Header) -> bool:
    return shape_of(header) is not None


def by_rows(header: Header, row: Sequence[str]) -> tuple[Shape, dict[str, int]] | None:
    """A header in an unknown language, told by the row below it: as many columns, a side where the
    side stands, and price x quantity that is the amount."""
    for kind, order in ORDERS:
        recognised = shape_of(order)
        if len(order) != len(header) or len(row) < len(order) or recognised is None:
            continue
        places = recognised[1]
        value = places.get("value", places.get("amount", 0))
        if words.side(row[places["side"]]) is None or kind != recognised[0].kind:
            continue
        try:
            price = cells.number(row[places["price"]])
            quantity, _ = cells.with_any_coin(row[places["quantity"]])
            amount, _ = cells.with_any_coin(row[value])
        except Bad:
            continue
        if kind == "spot" or agrees(price, quantity, amount):
            return recognised
    return None
