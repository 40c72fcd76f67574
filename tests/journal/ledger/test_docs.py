"""The examples in the documentation run."""

import json
import re
from decimal import Decimal as D
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from journal.services.proving import as_answer
from journal.services.trying import prove_case

DOCS = Path(__file__).resolve().parents[3] / "docs"
# page -> examples at least, so that none is lost in silence
PAGES = {"ledger.md": 7, "how-we-calculate.md": 15}


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


def _january() -> tuple[dict[str, Any], dict[str, Any]]:
    """The history of operating.md, and what `try_history` answers by it."""
    case, answer = (json.loads(text) for text in _blocks("operating.md", "json"))
    return case, answer


@pytest.mark.parametrize("page", PAGES)
def test_every_example_of_a_page_runs(page: str) -> None:
    """In the page's order: what one block defines the next ones use."""
    examples = _blocks(page, "python")
    assert len(examples) >= PAGES[page]
    names: dict[str, object] = {}
    for number, code in enumerate(examples, start=1):
        exec(compile(code, f"{page}, example {number}", "exec"), names)  # noqa: S102


@pytest.mark.parametrize("page", PAGES)
def test_a_translated_page_has_the_same_examples(page: str) -> None:
    assert _blocks(f"ko/{page}", "python") == _blocks(page, "python")


@pytest.mark.django_db
def test_the_history_that_is_tried_comes_to_what_is_printed(tmp_path: Path) -> None:
    case, answer = _january()
    file, printed = tmp_path / "january.json", StringIO()
    file.write_text(json.dumps(case))
    call_command("try_history", str(file), stdout=printed)
    assert json.loads(printed.getvalue()) == answer


@pytest.mark.django_db
def test_the_proof_of_the_same_history_is_the_one_of_the_api() -> None:
    case, _ = _january()
    _, proof = prove_case(case, "fifo")
    assert as_answer(proof) == json.loads(_blocks("api.md", "json")[0])
    assert proof.earned == proof.change


@pytest.mark.django_db
def test_dollars_gain_against_the_report_currency_as_told() -> None:
    """The example below "The report currency" in how-we-calculate.md."""
    case = {
        "name": "euros",
        "transfers": [["deposit", 1, "USDT", "1000", "2026-01-01T00:00:00Z"]],
        "spot": [
            ["SOLUSDT", 1, "BUY", "100", "10", "0", "USDT", "2026-01-01T00:00:30Z"],
            ["SOLUSDT", 2, "SELL", "110", "10", "0", "USDT", "2026-02-01T00:00:00Z"],
        ],
        "prices": {
            "EUR": [["2026-01-01T00:00:00Z", "1.25"], ["2026-02-01T00:00:00Z", "1"]],
        },
    }
    _, proof = prove_case(case, "fifo", "EUR")
    assert (proof.worth, proof.deposits, proof.change) == (D(1100), D(800), D(300))
    assert (proof.realised, proof.currency_effect) == (D(100), D(200))
