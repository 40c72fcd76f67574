"""Imports run one way: alerts -> trading -> journal -> accounts -> market -> lib; only config sees
everyone, and no two rooms know one another."""

import ast
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "lib": {"lib"},
    "market": {"market", "lib"},
    "accounts": {"accounts", "market", "lib"},
    "journal": {"journal", "accounts", "market", "lib"},
    "trading": {"trading", "journal", "accounts", "market", "lib"},
    "alerts": {"alerts", "trading", "journal", "accounts", "market", "lib"},
    "simulator": {"simulator"},
    "launcher": {"launcher"},
    "config": {"config", "alerts", "trading", "journal", "accounts", "market", "lib", "launcher"},
}
PURE = (
    "lib",
    "market/flow",
    "market/book",
    "journal/ledger",
    "journal/metrics",
    "alerts/conditions",
    "simulator",
)
APPS = ("lib", "market", "accounts", "journal", "trading", "alerts")
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


@pytest.mark.parametrize("app", [*APPS, "simulator", "launcher"])
def test_imports_stand_at_the_top(app: str) -> None:
    for path in modules(app):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                inner = [n for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)]
                assert not inner, f"{path}:{node.name} imports inside a function"


def test_no_two_rooms_know_one_another() -> None:
    """A room is a folder of an app, or a module that stands at an app's root."""
    rooms = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): room_of(
            path
        )
        for app in APPS
        for path in modules(app)
    }
    needs: dict[str, set[str]] = defaultdict(set)
    for app in APPS:
        for path in modules(app):
            for name in imported_modules(path):
                if name in rooms and rooms[name] != room_of(path):
                    needs[room_of(path)].add(rooms[name])
    TopologicalSorter(needs).prepare()  # raises CycleError and names the circle


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:2])


def imported_modules(path: Path) -> set[str]:
    """What an import may mean: `from a import b` means a, and a.b where that is one."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            modules_meant = {name for name in submodules if is_module(name)}
            names |= modules_meant
            if len(modules_meant) < len(submodules):
                names.add(node.module)
    return names


def is_module(name: str) -> bool:
    path = ROOT / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists()
