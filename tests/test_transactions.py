"""Nobody waits for the world while rows are locked: looked for in the syntax trees.

What a call inside a transaction calls in turn is not seen here; PostgreSQL's own limit on idle
transactions is behind it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
APPS = ("accounts", "alerts", "config", "journal", "market", "trading")
# What leaves the process, as it is called here.
OUTSIDE = {
    "asyncio.run",
    "desk.run",
    "urllib.request.urlopen",
    "senders.send",
    "reader.read",
    "reader.read_once",
    "reader.read_public",
    "run.reader.read",
    "run.reader.read_once",
    "run.reader.read_public",
    "ask",
}
# A twin at the simulator is opened together with the rows that are copied, or not at all.
PERMITTED = {("journal/services/demo.py", "asyncio.run")}


def is_atomic(node: ast.expr) -> bool:
    return "transaction.atomic" in ast.unparse(node)


def held(tree: ast.AST) -> Iterator[ast.AST]:
    """The bodies that run inside a transaction."""
    for node in ast.walk(tree):
        if isinstance(node, ast.With) and any(is_atomic(item.context_expr) for item in node.items):
            yield from node.body
        if isinstance(node, ast.FunctionDef) and any(map(is_atomic, node.decorator_list)):
            yield from node.body


def calls(path: Path) -> set[str]:
    return {
        ast.unparse(call.func)
        for body in held(ast.parse(path.read_text()))
        for call in ast.walk(body)
        if isinstance(call, ast.Call)
    }


def test_no_transaction_asks_the_exchange_or_anybody_else() -> None:
    seen = {
        (str(path.relative_to(ROOT)), name)
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for name in calls(path) & OUTSIDE
    }
    assert seen <= PERMITTED


def test_it_would_see_one() -> None:
    tree = ast.parse(
        "@transaction.atomic\ndef a():\n    run.reader.read('/x')\n"
        "def b():\n    with transaction.atomic():\n        asyncio.run(c())\n"
    )
    names = [
        ast.unparse(n.func)
        for body in held(tree)
        for n in ast.walk(body)
        if isinstance(n, ast.Call)
    ]
    assert [name for name in names if name in OUTSIDE] == ["run.reader.read", "asyncio.run"]
