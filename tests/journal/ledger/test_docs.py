"""The example in the documentation runs."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_ledgers_example_runs() -> None:
    [code] = re.findall(r"```python\n(.*?)```", (DOCS / "ledger.md").read_text(), re.DOTALL)
    exec(compile(code, "ledger.md", "exec"), {})  # noqa: S102
