"""Imports run one way: journal -> accounts -> market -> lib; only config sees everyone."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "lib": {"lib"},
    "market": {"market", "lib"},
    "accounts": {"accounts", "market", "lib"},
    "journal": {"journal", "accounts", "market", "lib"},
    "simulator": {"simulator"},
    "launcher": {"launcher"},
    "config": {"config", "journal", "accounts", "market", "lib", "launcher"},
}
PURE = ("lib", "market/flow", "journal/ledger", "journal/metrics", "simulator")
OURS = set(MAY_IMPORT)


def modules(folder: str) -> list[Path]:
    return [path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


@pytest.mark.parametrize("app", sorted(MAY_IMPORT))
def test_an_app_imports_only_what_stands_below_it(app: str) -> None:
    for path in modules(app):
        found = {name.split(".")[0] for name in imported(path)} & OURS
        assert found <= MAY_IMPORT[app], f"{path} imports {found - MAY_IMPORT[app]}"


@pytest.mark.parametrize("folder", PURE)
def test_pure_code_imports_no_django(folder: str) -> None:
    for path in modules(folder):
        found = {name.split(".")[0] for name in imported(path)}
        assert not found & {"django", "rest_framework", "celery", "channels", "redis"}, path


@pytest.mark.parametrize("app", ["lib", "market", "accounts", "journal", "simulator", "launcher"])
def test_imports_stand_at_the_top(app: str) -> None:
    for path in modules(app):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
                assert not inner, f"{path}:{node.name} imports inside a function"
