"""Sizes, R, slippage, liquidation and rules by hand-worked values; bodies that are refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from trading import limits, requests, sizing
from trading.errors import BadOrder
from trading.limits import Day, Entry
from trading.wanted import read

ACCOUNT = "00000000-0000-4000-8000-000000000001"
NOW = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)


def wanted(**more: Any) -> dict[str, Any]:
    base = {
        "account": ACCOUNT,
        "market": "spot",
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "price": "100",
        "quantity": "1",
    }
    return {name: value for name, value in {**base, **more}.items() if value is not None}


def test_the_size_loses_not_more_than_the_risk() -> None:
    # 25 over a distance of 3.3 is 7.5757…
    assert sizing.quantity_for(D(25), D("100"), D("96.7"), D("0.01")) == D("7.57")


def test_r_is_counted_in_distances_to_the_stop() -> None:
    assert sizing.r_of(D(104), D(100), D(98)) == D("2.00")
    assert sizing.r_of(D(97), D(100), D(101)) == D("3.00")


def test_slippage_goes_through_the_book() -> None:
    # 1 at 100 and 1 of the 2 at 101: mean 100.5, one dollar more than at the best price
    found = sizing.slippage([(D(100), D(1)), (D(101), D(2))], D(2))
    assert found == sizing.Slippage(D("100.5"), D(1), is_whole=True)
    thin = sizing.slippage([(D(100), D(1))], D(3))
    assert thin is not None
    assert not thin.is_whole


def test_liquidation_leaves_the_maintenance_margin() -> None:
    # long 1 at 100 with 10 of margin, 0.5 % maintenance: (100 - 10) / (1 - 0.005)
    price = sizing.liquidation(D(100), D(1), D(10), D("0.005"), is_buy=True)
    assert price is not None
    assert price.quantize(D("0.0001")) == D("90.4523")
    short = sizing.liquidation(D(100), D(1), D(10), D("0.005"), is_buy=False)
    assert short is not None
    assert short.quantize(D("0.0001")) == D("109.4527")


def test_parts_add_up_and_fit_the_step() -> None:
    assert sizing.parts(D("1.0"), 3, D("0.1")) == [D("0.3"), D("0.3"), D("0.4")]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"surprise": 1}, "surprise"),
        ({"side": "LONG"}, "side"),
        ({"type": "ICEBERG"}, "type"),
        ({"price": None}, "price"),
        ({"price": 100.5}, "price"),
        ({"price": "1e3"}, "price"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"risk": {"stop": "90", "money": "5"}}, "quantity"),
        ({"quantity": None, "risk": {"money": "5"}}, "risk.stop"),
        ({"type": "MARKET"}, "price"),
        ({"type": "MARKET", "price": None, "stop_price": "90"}, "stop_price"),
        ({"reduce_only": True}, "reduce_only"),
        ({"targets": ["110"]}, "risk.stop"),
        ({"targets": ["110", "120"], "risk": {"stop": "90"}}, "targets"),
        ({"account": "x"}, "account"),
        ({"symbol": "BTC/USDT"}, "symbol"),
        ({"quote_quantity": "5", "quantity": None}, "quote_quantity"),
    ],
)
def test_an_odd_body_is_refused_with_its_field(more: dict[str, Any], field: str) -> None:
    with pytest.raises(BadOrder) as refused:
        read(wanted(**more))
    assert refused.value.more["field"] == field


def test_an_entry_with_stop_and_target_is_opoco_where_allowed_else_otoco_less_the_fee() -> None:
    asked = read(wanted(risk={"stop": "90"}, targets=["120"]))
    fee, step = D("0.001"), D("0.01")
    opo = requests.request(asked, D(1), "c", requests.Lists(opo=True), step, fee)
    assert opo.path == "/api/v3/orderList/opoco"
    assert "pendingQuantity" not in opo.params
    oto = requests.request(asked, D(1), "c", requests.Lists(opo=False), step, fee)
    assert (oto.path, oto.params["pendingQuantity"]) == ("/api/v3/orderList/otoco", "0.99")
    assert (oto.params["pendingAboveType"], oto.params["pendingAbovePrice"]) == (
        "LIMIT_MAKER",
        "120",
    )
    assert (oto.params["pendingBelowType"], oto.params["pendingBelowStopPrice"]) == (
        "STOP_LOSS",
        "90",
    )


@pytest.mark.parametrize(
    ("name", "value", "day", "entry", "is_broken"),
    [
        ("day_loss", {"money": "100"}, {"net": D("-100")}, {}, True),
        ("day_loss", {"money": "100"}, {"net": D("-99.99")}, {}, False),
        ("day_trades", {"count": 3}, {"trades": 3}, {}, True),
        ("day_trades", {"count": 3}, {"trades": 2}, {}, False),
        # two losses, the last one 29 minutes ago
        (
            "pause",
            {"losses": 2, "minutes": 30},
            {"losses": 2, "closed_at": NOW - timedelta(minutes=29)},
            {},
            True,
        ),
        (
            "pause",
            {"losses": 2, "minutes": 30},
            {"losses": 2, "closed_at": NOW - timedelta(minutes=30)},
            {},
            False,
        ),
        # over midnight
        ("hours", {"from": "22:00", "to": "07:00"}, {}, {}, True),
        ("hours", {"from": "07:00", "to": "22:00"}, {}, {}, False),
        (
            "tilt",
            {"factor": "1"},
            {"was_loss": True, "average_size": D(100)},
            {"size": D(101)},
            True,
        ),
        ("tilt", {"factor": "1"}, {"average_size": D(100)}, {"size": D(101)}, False),
        ("stop", {}, {}, {"has_stop": False}, True),
        ("setups", {"allowed": ["Breakout"]}, {}, {"setup": "Fade"}, True),
        ("setups", {"allowed": ["Breakout"]}, {}, {"setup": "Breakout"}, False),
    ],
)
def test_each_rule_judges(
    name: str, value: dict[str, Any], day: dict[str, Any], entry: dict[str, Any], is_broken: bool
) -> None:
    kept = limits.checked(name, value)
    of = {"size": None, "has_stop": True, "setup": "", **entry}
    said = limits.judge(name, kept, Day(now=NOW, **day), Entry(**of))
    assert (said is not None) == is_broken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unknown", {}),
        ("day_loss", {"money": "-1"}),
        ("day_loss", {"money": 1.5}),
        ("day_trades", {"count": 0}),
        ("hours", {"from": "25:00", "to": "07:00"}),
        ("setups", {"allowed": []}),
        ("stop", {"x": 1}),
    ],
)
def test_an_odd_rule_is_refused(name: str, value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        limits.checked(name, value)
