"""The list of trades as a file: as the API tells them, with each result in the reader's unit; where
amounts are hidden, without them."""

import io
from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse

from accounts.models import User
from accounts.shares import give_way
from journal.answers import PART, as_csv, rounded, trade_answer
from journal.models import Preferences, Trade
from journal.selectors.trades import Line, with_notes
from journal.selectors.units import line_value
from lib.lazy import Lazy
from lib.sending import Sent

xlsxwriter: Any = Lazy("xlsxwriter")

AT_ONCE = 2000
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# what tells how large an account is; prices, per cent and R do not
AMOUNTS = frozenset(
    {
        "quantity",
        "gross",
        "fees",
        "funding",
        "net",
        "gross_money",
        "fees_money",
        "funding_money",
        "net_money",
        "exchange_realized",
        "worst_to",
        "best_to",
        "worst",
        "best",
        "after_5m",
        "after_1h",
        "slippage",
    }
)
UNITS = {Preferences.Unit.PERCENT: "%", Preferences.Unit.RISK: "R"}
Row = Mapping[str, Any]


def file_of(
    user: User, trades: "QuerySet[Trade]", chosen: Preferences, how: str
) -> HttpResponseBase:
    """`how` is csv or xlsx."""
    rows = _rows(user, trades, chosen)
    return as_csv(rows, "trades.csv") if how == "csv" else _workbook(rows)


def _rows(user: User, trades: "QuerySet[Trade]", chosen: Preferences) -> Iterator[Row]:
    unit = UNITS.get(Preferences.Unit(chosen.unit), chosen.built_currency)
    some: list[Trade] = []
    for trade in trades.iterator(AT_ONCE):
        some.append(trade)
        if len(some) == AT_ONCE:
            yield from (_row(line, chosen, unit) for line in with_notes(user, some))
            some = []
    yield from (_row(line, chosen, unit) for line in with_notes(user, some))


def _row(line: Line, chosen: Preferences, unit: str) -> Row:
    result = None if line.trade.is_open else line_value(line, chosen)
    row: dict[str, Any] = {**trade_answer(line), "result": rounded(result), "unit": unit}
    if chosen.hides_amounts:
        hidden = AMOUNTS if chosen.unit != Preferences.Unit.MONEY else AMOUNTS | {"result"}
        row |= dict.fromkeys(hidden)
    return row


def _workbook(rows: Iterator[Row]) -> HttpResponseBase:
    packed = io.BytesIO()
    # text stays text: no formula, and no link to somewhere
    plain = {"strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(packed, {"constant_memory": True, **plain})
    sheet = book.add_worksheet("Trades")
    for number, row in enumerate(rows):
        if number == 0:
            sheet.write_row(0, 0, list(row))
        for column, value in enumerate(row.values()):
            sheet.write(number + 1, column, ", ".join(value) if isinstance(value, list) else value)
        if number % PART == PART - 1:
            give_way()
    book.close()
    answer = StreamingHttpResponse(Sent(packed), content_type=WORKBOOK)
    answer["Content-Disposition"] = 'attachment; filename="trades.xlsx"'
    return answer
