"""Loaded before Django's settings (pytest -p); each xdist worker gets its own Redis database."""

import os
import re
from pathlib import Path

from launcher.places import Places

WORKER = int(re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or 0)
DATA_DIR = Path(os.environ.setdefault("DATA_DIR", "var")).resolve()

if not os.environ.get("REDIS_URL_OF_TESTS"):
    os.environ["REDIS_URL_OF_TESTS"] = os.environ.get("REDIS_URL") or Places(DATA_DIR).redis_url
base = re.sub(r"(\?db=|/)\d+$", "", os.environ["REDIS_URL_OF_TESTS"])
joint = "?db=" if base.startswith("unix") else "/"
os.environ["REDIS_URL"] = f"{base}{joint}{WORKER + 1}"
os.environ.update(BINANCE="simulator", MARKET_SYMBOLS="BTCUSDT", DATABASE_POOL="false")
os.environ.update({f"RATE_{door}": "100000" for door in ("READ", "HEAVY", "WRITE", "TRADE")})
os.environ.update(RATE_SIGN_IN="100000", SIGN_UP="open")
(DATA_DIR / "static").mkdir(parents=True, exist_ok=True)
