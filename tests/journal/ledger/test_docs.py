"""The examples in the documentation run."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[3] / "docs"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
# page -> examples at least, so that none is lost in silence
PAGES = {"ledger.md": 5, "how-we-calculate.md": 12}


def _examples(page: str) -> list[str]:
    return BLOCK.findall((DOCS / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_every_example_of_a_page_runs(page: str) -> None:
    """In the page's order: what one block defines the next ones use."""
    examples = _examples(page)
    assert len(examples) >= PAGES[page]
    names: dict[str, object] = {}
    for number, code in enumerate(examples, start=1):
        exec(compile(code, f"{page}, example {number}", "exec"), names)  # noqa: S102


@pytest.mark.parametrize("page", PAGES)
def test_a_translated_page_has_the_same_examples(page: str) -> None:
    assert _examples(f"ko/{page}") == _examples(page)
