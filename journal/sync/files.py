"""Binance's files of futures history, and the exports that a user downloads from its site: CSV,
plain or in an archive. Columns are found by their names, since Binance renames and reorders them;
a row that cannot be read is named with its number and reason, never guessed at."""

import csv
import hashlib
import io
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from accounts.models import ExchangeAccount
from journal.models import Fill, Income, Market, Source, Transfer
from market.instruments import split_symbol
from market.models import Listing

MOST_BYTES = 500_000_000
Row = dict[str, str]
MOMENTS = ("%Y-%m-%d %H:%M:%S", "%y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y/%m/%d %H:%M:%S")
# our name -> the names that Binance has given it, in small letters without signs
NAMES = {
    "time": ("time(utc)", "date(utc)", "utc_time", "time", "date"),
    "symbol": ("symbol", "pair", "market"),
    "side": ("side", "type"),
    "position_side": ("position side", "positionside"),
    "price": ("price",),
    "quantity": ("quantity", "executed", "filled", "amount of base asset"),
    "value": ("amount", "total", "quote quantity"),
    "fee": ("fee", "commission"),
    "fee_asset": ("fee coin", "fee asset", "commission asset"),
    "realized": ("realized profit", "realized pnl"),
    "maker": ("maker", "is maker"),
    "trade_id": ("trade id", "tradeid", "id"),
    "order_id": ("order id", "orderid", "order no."),
    "kind": ("type", "income type", "operation"),
    "amount": ("amount", "change", "income"),
    "asset": ("asset", "coin"),
    "transaction_id": ("transaction id", "tranid", "transaction no."),
    "account": ("account",),
    "remark": ("remark",),
}


class NotAFile(Exception):
    """Not what was expected; the sentence is for the user."""


@dataclass(frozen=True)
class Skipped:
    line: int
    reason: str


@dataclass
class Found:
    """Rows ready to be saved, and those that were left out, each with its line."""

    fills: list[Fill] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


# --- the exchange's own files -------------------------------------------------------------------


def read_fills(
    account: ExchangeAccount, body: bytes, listings: Mapping[str, Listing]
) -> list[Fill]:
    """All fills of a file that was made for us. Raises NotAFile for a row that is not clear."""
    found = Found()
    for line, row in tables(body):
        _take(found, line, lambda row=row: _usdm_fill(account, row, listings))  # type: ignore[misc]
    if found.skipped:
        first = found.skipped[0]
        raise NotAFile(f"line {first.line}: {first.reason}")
    return found.fills


def read_income(account: ExchangeAccount, body: bytes) -> list[Income]:
    """Raises NotAFile."""
    rows = []
    for line, row in tables(body):
        try:
            rows.append(_income(account, row))
        except (KeyError, ValueError, InvalidOperation) as error:
            raise NotAFile(f"line {line}: {_reason(error)}") from error
    return rows


# --- a user's own exports -----------------------------------------------------------------------


def read_export(
    account: ExchangeAccount, body: bytes, listings: Mapping[str, Mapping[str, Listing]]
) -> tuple[str, Found]:
    """(what it is: spot, usdm or statement; its rows). Raises NotAFile."""
    rows = list(tables(body))
    if not rows:
        raise NotAFile("expected rows below the header")
    names = set(rows[0][1])
    found = Found()
    if "utc_time" in names and "operation" in names:
        return "statement", _statement(account, rows, found)
    if {"realized profit", "realized pnl"} & names:
        for line, row in rows:
            _take(found, line, lambda row=row: _usdm_fill(account, row, listings["usdm"]))  # type: ignore[misc]
        return "usdm", found
    if {"executed", "pair", "market"} & names:
        seen: Counter[tuple[str, ...]] = Counter()
        for line, row in rows:
            _take(found, line, lambda row=row: _spot_fill(account, row, listings["spot"], seen))  # type: ignore[misc]
        return "spot", found
    raise NotAFile(
        "expected Binance's trade history of spot or futures, or its transaction history, was "
        f"a table of {', '.join(sorted(names))[:200]}"
    )


def _take(found: Found, line: int, read: Callable[[], Fill]) -> None:
    try:
        found.fills.append(read())
    except (KeyError, ValueError, InvalidOperation) as error:
        found.skipped.append(Skipped(line, _reason(error)))


def _usdm_fill(account: ExchangeAccount, row: Row, listings: Mapping[str, Listing]) -> Fill:
    """A contract that is not listed any more tells its coins by its name."""
    symbol = _get(row, "symbol").upper()
    listing = listings.get(symbol)
    base, quote = split_symbol(symbol.partition("_")[0])
    if listing is not None:
        base, quote = listing.base_asset, listing.quote_asset
    price, quantity = _number(row, "price"), _number(row, "quantity")
    fee, fee_asset = _with_asset(_get(row, "fee"))
    return Fill(
        account=account, market=Market.USDM, symbol=symbol,
        trade_id=int(_get(row, "trade_id")), order_id=int(_get(row, "order_id", "0") or 0),
        base=base, quote=quote, side=_side(row),
        position_side=_get(row, "position_side", "BOTH").upper() or "BOTH", price=price,
        quantity=quantity, quote_quantity=price * quantity, fee=fee,
        fee_asset=fee_asset or _get(row, "fee_asset", quote),
        realized=_number(row, "realized"), is_maker=_get(row, "maker", "").lower() == "true",
        time=_moment(_get(row, "time")), source=Source.FILE,
    )  # fmt: skip


def _spot_fill(
    account: ExchangeAccount, row: Row, listings: Mapping[str, Listing],
    seen: Counter[tuple[str, ...]],
) -> Fill:  # fmt: skip
    """Spot's export has no trade ids. Its rows get ids of their own, below zero and made from
    their content, so that the same file again is the same rows; what the account already has of
    the same moment, price and quantity is told as a duplicate by the importer."""
    symbol = _get(row, "symbol").upper()
    listing = listings.get(symbol)
    if listing is None:
        raise ValueError(f"{symbol} is not listed")
    quantity, _ = _with_asset(_get(row, "quantity"))
    value, _ = _with_asset(_get(row, "value"))
    fee, fee_asset = _with_asset(_get(row, "fee", "0"))
    same = tuple(_get(row, name, "") for name in ("time", "symbol", "side", "price", "quantity"))
    seen[same] += 1  # one order may fill twice at one price in one second
    digest = hashlib.sha256("|".join((*same, str(seen[same]))).encode()).digest()
    return Fill(
        account=account, market=Market.SPOT, symbol=symbol,
        trade_id=-(int.from_bytes(digest[:7], "big") + 1), order_id=0, base=listing.base_asset,
        quote=listing.quote_asset, side=_side(row), price=_number(row, "price"),
        quantity=quantity, quote_quantity=value, fee=fee,
        fee_asset=fee_asset or _get(row, "fee_asset", ""), is_maker=False,
        time=_moment(_get(row, "time")), source=Source.FILE,
    )  # fmt: skip


# Operations of the statement that are told elsewhere, or are halves of trades.
TRADES = {
    "buy", "sell", "fee", "transaction buy", "transaction sold", "transaction spend",
    "transaction revenue", "transaction fee", "transaction related",
}  # fmt: skip
KINDS = {
    "deposit": "deposit", "withdraw": "withdrawal", "small assets exchange bnb": "dust",
    "binance convert": "convert", "convert": "convert", "distribution": "dividend",
    "airdrop assets": "dividend", "simple earn flexible interest": "dividend",
    "transfer between main and funding wallet": "internal",
    "transfer between spot account and um futures account": "internal",
    "transfer between main account/futures and margin account": "internal",
}  # fmt: skip


def _statement(account: ExchangeAccount, rows: Iterable[tuple[int, Row]], found: Found) -> Found:
    """Only what the trade history does not tell: everything of the spot wallet that is no trade."""
    seen: Counter[tuple[str, ...]] = Counter()
    for line, row in rows:
        operation = _get(row, "kind", "").strip()
        if _get(row, "account", "Spot").lower() != "spot":
            found.skipped.append(Skipped(line, "another wallet than spot"))
        elif operation.lower() in TRADES:
            found.skipped.append(Skipped(line, "a trade: import the trade history for it"))
        else:
            try:
                found.transfers.append(_statement_row(account, row, operation, seen))
            except (KeyError, ValueError, InvalidOperation) as error:
                found.skipped.append(Skipped(line, _reason(error)))
    return found


def _statement_row(
    account: ExchangeAccount, row: Row, operation: str, seen: Counter[tuple[str, ...]]
) -> Transfer:
    same = tuple(_get(row, name, "") for name in ("time", "kind", "asset", "amount"))
    seen[same] += 1
    digest = hashlib.sha256("|".join((*same, str(seen[same]))).encode()).hexdigest()
    return Transfer(
        account=account, kind=KINDS.get(operation.lower(), "other"),
        external_id=f"file-{digest[:32]}", asset=_get(row, "asset").upper(),
        amount=_number(row, "amount"), time=_moment(_get(row, "time")), info=operation[:120],
        source=Source.FILE,
    )  # fmt: skip


def _income(account: ExchangeAccount, row: Row) -> Income:
    return Income(
        account=account, kind=_get(row, "kind"), external_id=_get(row, "transaction_id"),
        asset=_get(row, "asset"), symbol=_get(row, "symbol", ""), amount=_number(row, "amount"),
        time=_moment(_get(row, "time")), source=Source.FILE,
    )  # fmt: skip


# --- tables -------------------------------------------------------------------------------------


def tables(body: bytes) -> Iterator[tuple[int, Row]]:
    """(line, row) of each CSV in a file or archive, header names in small letters. Raises
    NotAFile."""
    for text in _texts(body):
        reader = csv.reader(io.StringIO(text), strict=False)
        header: list[str] | None = None
        try:
            for cells in reader:
                if not any(cell.strip() for cell in cells):
                    continue
                if header is None:
                    header = [cell.strip().strip('"').lower() for cell in cells]
                    continue
                yield reader.line_num, dict(zip(header, (c.strip() for c in cells), strict=False))
        except csv.Error as error:
            raise NotAFile(f"line {reader.line_num}: {error}") from error


def _texts(body: bytes) -> Iterator[str]:
    try:
        if body[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                infos = [info for info in archive.infolist() if info.filename.endswith(".csv")]
                if sum(info.file_size for info in infos) > MOST_BYTES:
                    raise NotAFile("expected less than 500 MB")
                for info in infos:
                    yield _text(archive.read(info))
        elif body[:2] == b"\x1f\x8b":
            with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as tar:
                left = MOST_BYTES
                for member in tar:
                    left -= member.size
                    if left < 0:
                        raise NotAFile("expected less than 500 MB")
                    part = tar.extractfile(member)
                    if part is not None and member.name.endswith(".csv"):
                        yield _text(part.read())
        else:
            yield _text(body)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError) as error:
        raise NotAFile("expected a CSV, or a zip or tar.gz that can be opened") from error


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotAFile("expected text in UTF-8") from error


def _get(row: Row, name: str, default: str | None = None) -> str:
    """Raises KeyError where a column is needed and missing."""
    for known in NAMES[name]:
        if row.get(known):
            return row[known]
    if default is None:
        raise KeyError(f"expected a column {NAMES[name][0]!r}")
    return default


def _number(row: Row, name: str) -> Decimal:
    number = Decimal(_get(row, name).replace(",", ""))
    if not number.is_finite():
        raise ValueError(f"expected a number, was {number}")
    return number


def _with_asset(text: str) -> tuple[Decimal, str]:
    """`1,234.5USDT` -> 1234.5 and USDT; a number alone has no asset."""
    found = re.fullmatch(r"([-+0-9.,]+(?:[eE][-+]?\d+)?)\s*([^\s\d.,+-]\S*)?", text.strip())
    if found is None:
        raise ValueError(f"expected an amount, was {text!r}")
    return Decimal(found[1].replace(",", "")), (found[2] or "").upper()


def _side(row: Row) -> str:
    side = _get(row, "side").upper()
    if side not in {"BUY", "SELL"}:
        raise ValueError(f"expected BUY or SELL, was {side!r}")
    return side


def _moment(text: str) -> datetime:
    for known in MOMENTS:
        try:
            return datetime.strptime(text, known).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"expected a time such as 2026-11-21 10:00:00, was {text!r}")


def _reason(error: Exception) -> str:
    if isinstance(error, InvalidOperation):
        return "expected a number"
    return str(error.args[0]) if error.args else type(error).__name__
