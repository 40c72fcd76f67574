"""What is wrong with a row or a file: a code with its values, which becomes a sentence in the
reader's language only where it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

LONGEST = 60
SENTENCES: dict[str, str] = {
    # numbers
    "number": _("Expected a number, was %(was)s."),
    "comma": _("%(was)s: this comma parts no thousands. Expected a point before the decimals."),
    "number_large": _("%(was)s is larger than any number that Binance tells."),
    "number_coin": _("%(was)s: cannot be told apart into a number and a coin."),
    "price": _("Expected a price above 0, was %(was)s."),
    "quantity": _("Expected a quantity above 0, was %(was)s."),
    "nothing": _("Expected an amount other than 0."),
    "amount_differs": _("Price × quantity is %(product)s, but the row's own amount is %(amount)s."),
    "fee_coin": _("Expected the coin that the fee of %(was)s was paid in."),
    # words
    "column": _("Expected something in the column “%(column)s”."),
    "side": _("Expected BUY or SELL, was %(was)s."),
    "position_side": _("Expected LONG, SHORT or BOTH as the position's side, was %(was)s."),
    "pair": _("%(was)s: its two coins cannot be told from the row nor from Binance's list."),
    "text_long": _("%(was)s is longer than any name that Binance uses."),
    "text_odd": _("A text holds signs that no text of Binance's has."),
    "identity": _("%(was)s is no id that Binance could have given."),
    # times
    "time": _("Expected a time such as 2026-11-21 10:00:00, was %(was)s."),
    "time_rewritten": _(
        "%(was)s: a spreadsheet has rewritten this time. Take the file as Binance made it."
    ),
    "time_early": _(
        "%(was)s is before Binance opened (14 July 2017): a spreadsheet may have rewritten it."
    ),
    "time_late": _("%(was)s has not been yet."),
    # rows that are understood and not taken
    "coinm": _("%(was)s is a COIN-M contract, paid in its coin: these are not supported yet."),
    "margin": _("A row of the margin wallet: margin trading is not supported."),
    "not_done": _("Not completed: %(was)s."),
    "no_data": _("Binance found nothing for this export: it has no rows."),
    # files
    "empty": _("Expected a file that is not empty."),
    "too_large": _("Expected a file of at most %(most)s MB."),
    "unpacked": _("Unpacked it is more than %(most)s MB: please take shorter times of the export."),
    "rows": _("It has more than %(most)s rows: please take shorter times of the export."),
    "slow": _("It takes too long to read: please take shorter times of the export."),
    "members": _("Expected at most %(most)s files in an archive."),
    "nested": _("Expected tables in the archive, not archives in archives in archives."),
    "archive": _("The archive cannot be opened: it is damaged or not whole."),
    "encrypted": _("The archive wants a password: please unpack it first."),
    "spreadsheet": _("The spreadsheet cannot be opened: it is damaged or wants a password."),
    "no_table": _("Expected a table as Binance exports it: CSV, XLSX, or a zip or tar.gz of them."),
    "table": _("The table is damaged near line %(line)s."),
    "unknown_table": _(
        "Expected one of Binance's exports (trades, transactions, deposits, withdrawals, convert), "
        "was a table of %(columns)s."
    ),
    "orders": _(
        "This is an order history. It tells what was ordered and at best an average price, not the "
        "single fills with their fees: please take the trade history instead."
    ),
    "zone": _("The file does not say in which time zone it was made: please choose it."),
    "zone_unknown": _("Expected a time zone such as UTC+9 or Asia/Seoul, was %(was)s."),
    "taken_before": _("This very file was taken in on %(at)s already."),
    "changed": _("What is known has changed since you looked: please look again."),
    "worker": _("The workers cannot be reached just now: please try again in a minute."),
    "failed": _("Reading the file went wrong here, not with you; it is written down."),
    "busy": _(
        "This account's history is being changed just now, by a file say: try again in a minute."
    ),
    "next": _(
        "This account's history is being changed just now, by another file say: this one is next."
    ),
    "known": _("This fill is known already: it is not needed by hand."),
}


def _shown(value: object) -> str:
    text = "".join(sign if sign.isprintable() else "�" for sign in str(value))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


@dataclass(frozen=True)
class Fault:
    code: str
    values: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return gettext(SENTENCES[self.code]) % self.values

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "values": dict(self.values)}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Fault":
        return cls(str(row["code"]), row["values"])


def fault(code: str, **values: object) -> Fault:
    return Fault(code, {name: _shown(value) for name, value in values.items()})


class Bad(ValueError):
    """One row that cannot be taken."""

    def __init__(self, code: str, **values: object) -> None:
        self.fault = fault(code, **values)
        super().__init__(code)

    def __str__(self) -> str:
        return str(self.fault)


class NotAFile(Bad):
    """A whole file that cannot be taken."""
