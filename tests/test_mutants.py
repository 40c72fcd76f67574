"""A protection that `make mutants` takes away has to be where it looks for it: code moves on."""

from pathlib import Path

import pytest

from tests.chaos import mutants as of_the_tape
from tests.security import mutants as of_safety

ROOT = Path(__file__).resolve().parents[1]
Mutant = of_the_tape.Mutant | of_safety.Mutant
MUTANTS: list[Mutant] = [*of_the_tape.MUTANTS, *of_safety.MUTANTS]


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.what for mutant in MUTANTS])
def test_what_is_taken_away_is_there(mutant: Mutant) -> None:
    text = (ROOT / mutant.path).read_text()
    assert mutant.old in text
    assert mutant.old != mutant.new


@pytest.mark.parametrize("mutant", of_safety.MUTANTS, ids=lambda mutant: str(mutant.what))
def test_the_test_that_has_to_fail_is_there(mutant: of_safety.Mutant) -> None:
    assert f"def {mutant.test}(" in (ROOT / mutant.file).read_text()
