"""The real captures beside the project and their golden sums; absent, the tests say so and skip."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lib.decimals import scaled
from market.flow.trades import Trade

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("CAPTURES_DIR", ROOT.parent / "shared" / "data"))
NAMES = ("spot_btcusdt_20240808.gz", "spot_ethusdt_20240808.gz", "usdm_btcusdt_20230404.gz")


class Payload(msgspec.Struct):
    """A recorded `@trade` payload."""

    t: int
    p: str
    q: str
    T: int
    m: bool


def need(name: str) -> Path:
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"capture {name} is not in {FOLDER} (set CAPTURES_DIR)")
    return path


def golden(name: str) -> dict[str, Any]:
    sums: dict[str, Any] = json.loads(need("golden.json").read_text())[name]
    return sums


def frames(name: str) -> Iterator[bytes]:
    with gzip.open(need(name), "rb") as lines:
        for line in lines:
            yield line.split(b" ", 1)[1].strip()


class Combined(msgspec.Struct):
    data: Payload


def trades(name: str) -> list[Trade]:
    decoder = msgspec.json.Decoder(Combined)
    rows = [decoder.decode(frame).data for frame in frames(name) if b'@trade"' in frame[:60]]
    return [Trade(row.t, scaled(row.p), scaled(row.q), row.T, row.m) for row in rows]
