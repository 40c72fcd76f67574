"""The real captures beside the project and their golden sums; absent, the tests say so and skip."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(os.environ.get("CAPTURES_DIR", ROOT.parent / "shared" / "data"))
NAMES = ("spot_btcusdt_20240808.gz", "spot_ethusdt_20240808.gz", "usdm_btcusdt_20230404.gz")


class CapturedTrade(msgspec.Struct, rename={"id": "t", "price": "p", "quantity": "q", "time": "T",
                                            "is_buyer_maker": "m", "kind": "X"}):  # fmt: skip
    """A recorded `@trade` payload, in the words of `market.flow.tape.Trade`."""

    id: int
    price: str
    quantity: str
    time: int
    is_buyer_maker: bool
    kind: str = "MARKET"


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


def trades(name: str) -> list[CapturedTrade]:
    class Combined(msgspec.Struct):
        data: CapturedTrade

    decoder = msgspec.json.Decoder(Combined)
    return [decoder.decode(frame).data for frame in frames(name) if b'@trade"' in frame[:60]]
