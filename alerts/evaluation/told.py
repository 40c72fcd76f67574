"""The words of a market's event."""

from urllib.parse import quote

from alerts.conditions.watches import SETUP_WINDOWS
from alerts.evaluation.rows import Row
from alerts.services.firing import Told
from alerts.texts import window_text
from market.instruments import InstrumentKey


def page_of(key: InstrumentKey) -> str:
    """The market's page; by its text, since a worker has no use for the pages' code."""
    market = "" if key.market == "spot" else f"{key.market}/"
    return f"/market/{market}{quote(key.symbol)}/"


def of_market(row: Row, path: str, at_ms: int, value: str, **more: str) -> Told:
    condition = row.condition
    window = condition.get("window_s")
    if row.setup is not None:
        window = SETUP_WINDOWS.get(row.setup.get("window", "1m"), 60)
    facts = {
        "market": condition["market"],
        "symbol": condition["symbol"],
        "value": value,
        "level": condition.get("level", ""),
        "quantile": condition.get("quantile", ""),
        "window": window_text(int(window)) if window else "",
        "setup": row.setup_name,
        "path": path,
        **more,
    }
    return Told(at_ms, value, facts)
