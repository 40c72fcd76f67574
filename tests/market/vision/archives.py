"""Files as data.binance.vision gives them, written from trades."""

import hashlib
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from lib.decimals import text
from market.flow.trades import Trade


def trade_lines(trades: Iterable[Trade], ticks: int = 1_000_000) -> list[str]:
    divisor = 1_000_000 // ticks
    return [
        f"{t.id},{text(t.price)},{text(t.quantity)},{text(t.price * t.quantity, 16)},"
        f"{t.time // divisor},{t.is_buyer_maker},True"
        for t in trades
    ]


def aggregate_lines(trades: Sequence[Trade], ticks: int = 1_000_000) -> list[str]:
    """One row for what one taker took at one price."""
    groups: list[list[Trade]] = []
    for trade in trades:
        last = groups[-1][-1] if groups else None
        if last is not None and (last.time, last.price, last.is_buyer_maker, last.id + 1) == (
            trade.time,
            trade.price,
            trade.is_buyer_maker,
            trade.id,
        ):
            groups[-1].append(trade)
        else:
            groups.append([trade])
    divisor = 1_000_000 // ticks
    return [
        f"{900 + n},{text(g[0].price)},{text(sum(t.quantity for t in g))},{g[0].id},{g[-1].id},"
        f"{g[0].time // divisor},{g[0].is_buyer_maker},True"
        for n, g in enumerate(groups)
    ]


def write(
    folder: Path, name: str, lines: Sequence[str], *, checksum: bool = True, header: str = ""
) -> Path:
    """`name` without ending; the zip holds one CSV of the same name."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        head = [header] if header else []
        archive.writestr(f"{name}.csv", "".join(f"{line}\n" for line in [*head, *lines]))
    if checksum:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_name(path.name + ".CHECKSUM").write_text(f"{digest}  {path.name}\n")
    return path


def day_of(trade: Trade) -> date:
    return datetime.fromtimestamp(trade.time // 1_000_000, UTC).date()
