"""Importing the exchange's archive: rows a second, against a bare scan of the same file.

  make bench-import            (ROWS=20000000)

(a) every column of the CSV read by Polars alone and dropped, streamed; (b) the zip of the same CSV
unpacked and every column read by Polars, in the same chunks; (c) `manage.py import_vision` of that
zip into an empty PostgreSQL: unpacked, checked, made into bars by band and sweep, saved. Memory is
the process's highest, of (c) alone.
"""

import io
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import django
import polars as pl

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.update(BINANCE="simulator", LOG_LEVEL="error")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from market.vision.rows import CHUNK_BYTES  # noqa: E402

ROWS = int(os.environ.get("ROWS", "20000000"))
A_DAY = 4_000_000
NAME = "BENCHUSDT-trades-2025-01"
START_US = 1_735_689_600_000_000
BLOCK = 1_000_000


def write_csv(path: Path) -> None:
    """Trades as a busy market has them: 60 % go on with the order of the one before."""
    spacing = 86_400_000_000 * 10 // A_DAY // 4
    with path.open("wb") as file:
        for start in range(0, ROWS, BLOCK):
            n = pl.int_range(start, min(start + BLOCK, ROWS), eager=True)
            order = n * 4 // 10
            hashed = order.hash(seed=1)
            cents = 9_000_000 + (n.hash(seed=2) % 20_000).cast(pl.Int64)
            amount = 1 + (n.hash(seed=3) % 100_000).cast(pl.Int64) ** 2 // 200_000
            frame = pl.DataFrame(
                {
                    "id": n + 1_000_000,
                    "price": (cents / 100).cast(pl.Decimal(18, 8)),
                    "qty": (amount / 100_000).cast(pl.Decimal(18, 8)),
                    "quote": (cents * amount / 10_000_000).cast(pl.Decimal(28, 8)),
                    "time": START_US + order * spacing + (hashed % 1000).cast(pl.Int64),
                    "maker": pl.select(
                        pl.when(pl.lit(hashed % 2 == 0))
                        .then(pl.lit("True"))
                        .otherwise(pl.lit("False"))
                    ).to_series(),
                    "best": pl.repeat("True", len(n), eager=True),
                }
            )
            frame.write_csv(file, include_header=False)


def scan(path: Path) -> float:
    began = time.perf_counter()
    scanned = pl.scan_csv(path, has_header=False).select(pl.all().max(), n=pl.len())
    assert scanned.collect(engine="streaming")["n"][0] == ROWS
    return time.perf_counter() - began


def scan_zip(path: Path) -> float:
    began, rows, rest = time.perf_counter(), 0, b""
    with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as raw:
        while data := raw.read(CHUNK_BYTES):
            end = data.rfind(b"\n") + 1
            frame = pl.read_csv(io.BytesIO(rest + data[:end]), has_header=False)
            rest = data[end:]
            rows += frame.height
    assert rows == ROWS
    return time.perf_counter() - began


def import_it(folder: Path) -> None:
    """In a process of its own, so that its memory is its own."""
    began = time.perf_counter()
    call_command(
        "import_vision", "BENCHUSDT", "--dir", str(folder), verbosity=0, stdout=io.StringIO()
    )
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(trades) FROM market_second_bar")
        bars, trades = cursor.fetchone()
        cursor.execute(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits "
            "WHERE inhparent = 'market_second_bar'::regclass"
        )
        size = int(cursor.fetchone()[0])
    assert trades == ROWS, (trades, ROWS)
    print(f"{took} {peak} {bars} {size}", file=sys.stderr)


def main() -> None:
    if len(sys.argv) > 1:
        import_it(Path(sys.argv[1]))
        return
    call_command("migrate", verbosity=0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / f"{NAME}.csv"
        write_csv(path)
        packed = folder / "zip" / f"{NAME}.zip"
        packed.parent.mkdir()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            archive.write(path, path.name)
        size = path.stat().st_size / 1e6
        print(
            f"{ROWS:,} rows, {size:,.0f} MB of text, {packed.stat().st_size / 1e6:,.0f} MB zipped"
        )
        bare, unpacked = scan(path), scan_zip(packed)
        path.unlink()
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.import_vision", str(packed.parent)],
            capture_output=True,
            text=True,
            check=True,
        )
        took, peak, bars, size = (float(word) for word in done.stderr.split()[-4:])
    for what, seconds in (
        ("(a) Polars scan of the CSV", bare),
        ("(b) unpack and Polars read of the zip", unpacked),
        ("(c) import of the zip", took),
    ):
        print(f"{what:40} {ROWS / seconds:12,.0f} rows/s")
    print(f"import / bare scan of the CSV: {bare / took:.2f}; of the zip: {unpacked / took:.2f}")
    print(
        f"{bars:,.0f} bars of 1 s, {peak:,.0f} MB of memory at most; {size / bars:,.0f} bytes a "
        f"bar in PostgreSQL: {size / bars * 2_592_000 / 1e9:.2f} GB a month that never rests"
    )


if __name__ == "__main__":
    main()
