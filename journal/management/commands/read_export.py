import json
from collections import defaultdict
from datetime import datetime, tzinfo
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from journal.faults import NotAFile
from journal.files.found import FoundFill, FoundIncome, FoundTransfer, Reading
from journal.files.pairs import Pairs
from journal.files.reading import read
from journal.files.zones import name_of, zone_given
from lib.decimals import plain
from market.models import Listing


class Command(BaseCommand):
    help = "Print what one of Binance's exports holds, without taking it in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--json", action="store_true", help="as one JSON object")
        parser.add_argument(
            "--zone", default="", help="where the file names none: UTC+9, Asia/Seoul"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        zone = zone_of(options["zone"])
        path: Path = options["file"]
        try:
            reading = read(body_of(path), path.name, listed_pairs(), timezone.now())
        except NotAFile as error:
            if options["json"]:
                left_out = [{"line": 1, "reason": str(error)}]
                empty = {"kind": "", "fills": [], "transfers": [], "left_out": left_out}
                self.stdout.write(json.dumps(empty, ensure_ascii=False))
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(reading, zone), ensure_ascii=False))
            return
        self.stdout.write(
            f"{reading.kind}: {len(reading.fills)} fills, "
            f"{len(reading.transfers) + len(reading.incomes)} transfers, "
            f"{reading.left_out_count} left out"
        )
        for left in reading.left_out:
            self.stdout.write(f"line {left.line}: {left.fault}")


def zone_of(text: str) -> tzinfo | None:
    """Raises CommandError."""
    zone = zone_given(text) if text else None
    if text and zone is None:
        raise CommandError(str(NotAFile("zone_unknown", was=text)))
    return zone


def body_of(path: Path) -> bytes:
    """Raises CommandError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error


def listed_pairs() -> Pairs:
    rows = Listing.objects.values_list("market", "symbol", "base_asset", "quote_asset")
    return {(market, symbol): (base, quote) for market, symbol, base, quote in rows}


def as_json(reading: Reading, zone: tzinfo | None) -> dict[str, Any]:
    """Numbers as decimal text; a time without `Z` is of a zone that the file does not name. Lines
    of the futures wallet are transfers of kind `income` here."""
    fills = sorted(reading.fills, key=lambda row: (row.place.at(zone), row.rank))
    moved: list[FoundTransfer | FoundIncome] = [*reading.transfers, *reading.incomes]
    moved.sort(key=lambda row: row.place.at(zone))
    zones = [part.zone for part in reading.parts]
    names = {name_of(found) for found in (*zones, zone) if found is not None}
    return {
        "kind": reading.kind,
        "zone": None if reading.needs_zone and zone is None else ", ".join(sorted(names)),
        "fills": [_fill(row, zone) for row in fills],
        "transfers": [_transfer(row, zone) for row in moved],
        "left_out": [
            {"file": left.member, "line": left.line, "reason": str(left.fault)}
            for left in reading.left_out
        ],
        "left_out_count": reading.left_out_count,
        "unknown": _unknown(reading),
    }


def _unknown(reading: Reading) -> list[dict[str, str]]:
    """Operations that no rule knows, with what each moved."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in reading.transfers:
        if row.kind == "other":
            sums[row.operation, row.asset] += row.amount
    return [
        {"operation": operation, "asset": asset, "amount": plain(total)}
        for (operation, asset), total in sorted(sums.items())
    ]


def _fill(row: FoundFill, zone: tzinfo | None) -> dict[str, Any]:
    return {
        "time": _time(row, zone),
        "symbol": row.symbol,
        "market": row.market,
        "side": row.side,
        "quantity": plain(row.quantity),
        "price": plain(row.price),
        "fee": plain(row.fee),
        "fee_asset": row.fee_asset,
        "base": row.base,
        "quote": row.quote,
        "position_side": row.position_side,
        "realized": None if row.realized is None else plain(row.realized),
        "trade_id": row.trade_id,
        "from_statement": row.from_statement,
    }


def _transfer(row: FoundTransfer | FoundIncome, zone: tzinfo | None) -> dict[str, Any]:
    if isinstance(row, FoundIncome):
        kind, operation, wallet = "income", row.kind, "usdm"
    else:
        kind, operation, wallet = row.kind, row.operation, row.wallet
    return {
        "time": _time(row, zone),
        "kind": kind,
        "asset": row.asset,
        "amount": plain(row.amount),
        "operation": operation,
        "wallet": wallet,
    }


def _time(row: FoundFill | FoundTransfer | FoundIncome, zone: tzinfo | None) -> str:
    if row.place.zone is None and zone is None:
        return _iso(row.place.moment)
    return _iso(row.place.at(zone).replace(tzinfo=None)) + "Z"


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="milliseconds" if time.microsecond else "seconds")
