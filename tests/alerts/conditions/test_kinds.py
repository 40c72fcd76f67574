"""A condition comes in as JSON and is kept as known fields, or one sentence says what is wrong."""

from typing import Any

import pytest

from alerts.conditions.fields import BadCondition
from alerts.conditions.kinds import KINDS, default_cooldown_s, parse

SPOT = {"market": "spot", "symbol": "BTCUSDT"}
USDM = {"market": "usdm", "symbol": "BTCUSDT"}
ACCOUNT = "00000000-0000-4000-8000-000000000001"
GOOD: list[dict[str, Any]] = [
    {"kind": "price_crosses", **SPOT, "level": "60000", "direction": "up"},
    {"kind": "price_moves", **SPOT, "window_s": 60, "percent": "0.5"},
    {"kind": "cvd_delta", **SPOT, "window_s": 300, "below": "-1000000", "band": ">=1M"},
    {"kind": "cvd_quantile", **SPOT, "window_s": 300, "quantile": "0.99", "unit": "order"},
    {"kind": "divergence", **USDM, "window_s": 900, "percent": "1"},
    {"kind": "taker_order", **SPOT, "value": "250000", "side": "SELL"},
    {"kind": "funding", **USDM, "above": "0.0005"},
    {"kind": "spread", **SPOT, "above": "2"},
    {"kind": "open_interest", **USDM, "window_s": 3600, "above": "1000"},
    {"kind": "liquidations", **USDM, "above": "100000", "window_s": 60},
    {"kind": "fill", "account": ACCOUNT},
    {"kind": "order", "state": "FILLED"},
    {"kind": "trade_closed"},
    {"kind": "pnl_day", "below": "-100"},
    {"kind": "pnl_open", "account": ACCOUNT, "below": "-2", "unit": "r"},
    {"kind": "liquidation_distance", "below": "5", "unit": "percent"},
    {"kind": "rule", "rule": "day_loss"},
    {"kind": "account", "state": "broken"},
    {"kind": "setup", **SPOT, "setup": 3},
    {"kind": "system", "state": "disk"},
    {"kind": "system", "state": "backup_old"},
    {"kind": "losing_streak", "losses": 4},
    {"kind": "size_after_loss"},
]


def test_every_kind_of_the_contract_has_an_example_here() -> None:
    assert {item["kind"] for item in GOOD} == set(KINDS)


@pytest.mark.parametrize("raw", GOOD, ids=lambda raw: raw["kind"])
def test_a_good_condition_is_kept(raw: dict[str, Any]) -> None:
    assert raw.items() <= parse(raw).items()
    assert parse(parse(raw)) == parse(raw)


def test_numbers_are_kept_as_exact_text_and_defaults_are_said() -> None:
    raw = {"kind": "price_crosses", "market": "spot", "symbol": " btcusdt ", "level": 60000.5}
    assert parse(raw) == {
        "kind": "price_crosses",
        "market": "spot",
        "symbol": "BTCUSDT",
        "level": "60000.5",
        "direction": "both",
    }
    assert parse({**raw, "level": "6E+4"})["level"] == "60000"


@pytest.mark.parametrize(
    ("raw", "field", "sentence"),
    [
        (None, "condition", "Expected an object"),
        ([], "condition", "Expected an object"),
        ({}, "kind", "Expected one of price_crosses"),
        ({"kind": "moon"}, "kind", "was 'moon'"),
        ({"kind": ["fill"]}, "kind", "Expected one of"),
        ({"kind": "price_crosses", **SPOT}, "level", "price_crosses needs the field level"),
        ({"kind": "price_crosses", "symbol": "B", "level": 1}, "market", "needs the field market"),
        ({"kind": "price_crosses", **SPOT, "level": "-1"}, "level", "above 0, was '-1'"),
        ({"kind": "price_crosses", **SPOT, "level": "NaN"}, "level", "Expected a number"),
        ({"kind": "price_crosses", **SPOT, "level": "1e400"}, "level", "Expected a number"),
        ({"kind": "price_crosses", **SPOT, "level": "0.000000001"}, "level", "8 decimal places"),
        ({"kind": "price_crosses", **SPOT, "level": True}, "level", "Expected a number"),
        ({"kind": "price_crosses", **SPOT, "level": {"a": 1}}, "level", "Expected a number"),
        ({"kind": "price_crosses", **SPOT, "level": 1, "direction": "left"}, "direction", "up, d"),
        ({"kind": "price_crosses", **SPOT, "level": 1, "moon": 1}, "moon", "has no such field"),
        ({"kind": "price_crosses", "market": "spot", "symbol": "A/B", "level": 1}, "symbol", "A/B"),
        ({"kind": "price_crosses", "market": "coin", "symbol": "A", "level": 1}, "market", "spot"),
        ({"kind": "price_moves", **SPOT, "window_s": 0, "percent": 1}, "window_s", "from 1 to"),
        ({"kind": "price_moves", **SPOT, "window_s": 1.5, "percent": 1}, "window_s", "whole sec"),
        ({"kind": "price_moves", **SPOT, "window_s": 86401, "percent": 1}, "window_s", "86400"),
        ({"kind": "price_moves", **SPOT, "window_s": 9, "percent": "0"}, "percent", "above 0"),
        ({"kind": "cvd_delta", **SPOT, "window_s": 9}, "above", "exactly one of above / below"),
        ({"kind": "cvd_delta", **SPOT, "window_s": 9, "above": 1, "below": 1}, "above", "exactly"),
        ({"kind": "cvd_delta", **SPOT, "window_s": 9, "above": 1, "unit": "x"}, "unit", "trade"),
        ({"kind": "cvd_quantile", **SPOT, "window_s": 60, "quantile": 1}, "quantile", "between 0"),
        ({"kind": "cvd_quantile", **SPOT, "window_s": 30, "quantile": 0.9}, "window_s", "60"),
        ({"kind": "taker_order", **SPOT, "value": 1, "side": "buy"}, "side", "BUY, SELL"),
        ({"kind": "funding", **SPOT, "above": 1}, "market", "is of futures"),
        ({"kind": "fill", "account": "7"}, "account", "id of one of your accounts"),
        ({"kind": "setup", **SPOT, "setup": "x"}, "setup", "row's number"),
        ({"kind": "setup", **SPOT, "setup": -1}, "setup", "row's number"),
        ({"kind": "system", "state": "moon"}, "state", "feed_silent"),
        ({"kind": "rule", "rule": "\0"}, "rule", "text of 1 to 40"),
    ],
)
def test_a_bad_field_is_named_with_what_was_expected(raw: Any, field: str, sentence: str) -> None:
    with pytest.raises(BadCondition) as refused:
        parse(raw)
    assert refused.value.field == field
    assert sentence in str(refused.value)


def test_what_happened_is_told_each_time_and_a_market_not_within_its_cooldown() -> None:
    assert default_cooldown_s("fill") == 0
    assert default_cooldown_s("price_crosses") == 300


def test_bands_of_futures_are_by_order() -> None:
    raw = {"kind": "cvd_delta", **USDM, "window_s": 60, "above": 1, "band": ">=1M"}
    with pytest.raises(BadCondition, match="unit order"):
        parse(raw)
    assert parse({**raw, "unit": "order"})["band"] == ">=1M"
