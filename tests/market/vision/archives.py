"""Files as data.binance.vision gives them, written from trades."""

import hashlib
import random
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from django.core.management import call_command

from lib.decimals import UNIT, text
from market.archive import seconds as archive
from market.flow.bands import USD
from market.flow.bars import Bar
from market.flow.tape import TapeBuilder
from market.flow.trades import Trade
from market.models import Instrument


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


DAY = datetime(2025, 3, 4, tzinfo=UTC)
NEXT = datetime(2025, 3, 5, tzinfo=UTC)


def tape(start: datetime, count: int, first_id: int, seed: int = 1) -> list[Trade]:
    """Trades of some minutes, with sweeps of several prices, from just after `start`."""
    rng = random.Random(seed)
    time, price, trades = int(start.timestamp()) * 1_000_000 + 700, 100 * UNIT, []
    maker = False
    for trade_id in range(first_id, first_id + count):
        if rng.random() < 0.5:
            time += rng.choice([1, 900, 40_000, 900_000, 3_000_000])
            maker = rng.random() < 0.5
        price += rng.choice([-1, 0, 1]) * UNIT // 100
        quantity = rng.choice([UNIT // 1000, UNIT, 30 * UNIT, 4000 * UNIT]) + rng.randint(1, 999)
        trades.append(Trade(trade_id, price, quantity, time, maker))
    return trades


def bars_of(trades: Sequence[Trade], ticks: int = 1_000_000) -> dict[int, Bar]:
    builder = TapeBuilder(USD, ticks)
    builder.apply(trades)
    return {at: bar for minute in builder.held.values() for at, bar in minute.items()}


def stored(symbol: str = "BTCUSDT") -> dict[int, Bar]:
    instrument = Instrument.objects.get(symbol=symbol)
    return archive.load(instrument.pk, 0, 2**33)


def same(found: dict[int, Bar], expected: dict[int, Bar]) -> bool:
    return [b.flow() for b in found.values()] == [expected[at].flow() for at in sorted(expected)]


def run(folder: Path, *more: str, symbol: str = "BTCUSDT") -> None:
    call_command("import_vision", symbol, "--dir", str(folder), *more)
