"""Only trading changes anything at the exchange: looked for in the syntax trees."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CHANGING = {"post", "put", "delete"}
# POSTs that change nothing there: the futures stream's key, reads that Binance wants as POST
PERMITTED = {"market/binance/account.py"}


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("app", ["market", "accounts", "journal", "alerts", "config", "lib"])
def test_nobody_else_holds_what_changes_orders(app: str) -> None:
    for path in (ROOT / app).rglob("*.py"):
        name = str(path.relative_to(ROOT))
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                is_ours = name == "market/binance/ordering.py"
                assert node.module != "market.binance.ordering" or is_ours, name
        if name in PERMITTED or name == "market/binance/ordering.py":
            continue
        for call in calls(path):
            method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            first = call.args[0] if call.args else None
            word = first.value if isinstance(first, ast.Constant) else None
            is_change = method in {"change", "send", "_call"} and word in CHANGING
            assert not is_change, f"{name}:{call.lineno} changes something at the exchange"


def test_the_adapter_itself_changes_nothing_but_what_it_is_told() -> None:
    path = ROOT / "market/binance/account.py"
    told = [
        [ast.literal_eval(arg) for arg in call.args[:2] if isinstance(arg, ast.Constant)]
        for call in calls(path)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr == "_call"
        and isinstance(call.args[0], ast.Constant)
        and call.args[0].value in CHANGING
    ]
    assert told == [["post", "/fapi/v1/listenKey"]]
