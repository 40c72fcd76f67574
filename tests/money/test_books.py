"""The books through PostgreSQL against the independent model in fractions (money.md)."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from journal.books.trying import prove_case
from tests.money.histories import random_case
from tests.money.model import METHODS, evaluate

pytestmark = pytest.mark.django_db
# What rounding each row at its 18th place may leave of a sum, and an answer at its 12th.
# Fees of more than twelve places do not fit their column.
ROUNDING = Fraction(1, 10**9)


def close(told: str | Decimal, right: Fraction) -> bool:
    return abs(Fraction(Decimal(told)) - right) <= ROUNDING


def _shown(values: Iterable[Any]) -> list[Any]:
    return [float(value) if isinstance(value, Fraction) else value for value in values]


def differences(case: dict[str, Any], method: str) -> list[str]:
    answer, proof = prove_case(case, method)
    right = evaluate(case, method)
    wrong = [
        f"{name}: {answer[name]} should be {float(right[name])}"
        for name in ("net", "apart", "tax_net", "unrealised", "income")
        if not close(answer[name], right[name])
    ]
    for name in ("deposits", "withdrawals", "opening", "currency_effect", "worth"):
        if not close(getattr(proof, name), right[name]):
            wrong.append(f"{name}: {getattr(proof, name)} should be {float(right[name])}")
    for name in ("stack", "open"):
        if answer[name].keys() != right[name].keys() or not all(
            close(answer[name][key], value) for key, value in right[name].items()
        ):
            wrong.append(f"{name}: {answer[name]} should be {_shown(right[name].items())}")
    # of one moment in any order
    mine = sorted(answer["trades"], key=lambda row: [row[0], *map(Decimal, row[1:])])
    theirs = sorted(right["trades"], key=lambda row: [row[0], *row[1:]])
    if len(mine) != len(theirs) or not all(
        row[0] == told[0] and all(close(a, b) for a, b in zip(row[1:], told[1:], strict=True))
        for row, told in zip(mine, theirs, strict=True)
    ):
        wrong.append(f"trades: {mine} should be {[_shown(row) for row in theirs]}")
    if abs(proof.difference) > Decimal("1e-12"):
        wrong.append(f"difference: {proof.difference}")
    if abs(proof.unexplained) > Decimal("1e-12"):
        wrong.append(f"unexplained: {proof.unexplained}")
    return wrong


@pytest.mark.parametrize("seed", range(60))
def test_the_books_agree_with_the_model(seed: int) -> None:
    case = random_case(seed, rows=(10, 30))
    method = METHODS[seed % len(METHODS)]
    assert differences(case, method) == []
