"""The books through PostgreSQL against the independent model in fractions (money.md)."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from journal.services.trying import prove_case
from tests.money.histories import random_case, rows_since
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


@pytest.mark.parametrize("seed", range(40))
def test_the_books_agree_with_the_model(seed: int) -> None:
    case = random_case(seed, rows=(10, 30))
    method = METHODS[seed % len(METHODS)]
    assert differences(case, method) == []


@pytest.mark.parametrize("seed", range(100, 140))
def test_6_the_identity_holds_in_another_report_currency(seed: int) -> None:
    """Every amount by the rate of its own minute; prices move, and some minutes have none."""
    currency = ("EUR", "BTC")[seed // len(METHODS) % 2]
    case = random_case(seed, rows=(6, 14), moving=True)
    _, proof = prove_case(case, METHODS[seed % len(METHODS)], currency)
    assert abs(proof.difference) <= Decimal("1e-12")
    assert proof.currency == currency


@pytest.mark.parametrize("seed", range(200, 203))
def test_6_a_method_or_currency_changes_no_wealth(seed: int) -> None:
    case = random_case(seed, rows=(8, 20), moving=True)
    proofs = [prove_case(case, method)[1] for method in METHODS]
    for proof in proofs:
        assert abs(proof.difference) <= Decimal("1e-12")
        assert abs(proof.worth - proofs[0].worth) <= Decimal("1e-9")
        by_tax = proof.tax_realised + proof.tax_unrealised
        assert abs(by_tax - proof.realised - proof.unrealised) <= Decimal("1e-12")


def perpetuals(seed: int) -> dict[str, Any]:
    """Futures alone, without what is delivered: of that no position is told."""
    case = random_case(
        seed, spot=False, futures=True, priced=True, begins_inside=False, rows=(10, 20)
    )
    case["usdm"] = [row for row in case["usdm"] if "_" not in row[0]]
    case["income"] = [row for row in case["income"] if "_" not in row[3]]
    return case


def test_4_2_without_its_first_half_no_trade_turns_round() -> None:
    """What is listed of the second half stands in the whole too, and the same is open."""
    listed = 0
    for seed in (322, 360, 365, 374):
        whole = perpetuals(seed)
        half = rows_since(whole, whole["usdm"][len(whole["usdm"]) // 2][7])
        method = METHODS[seed % len(METHODS)]
        before, after = prove_case(whole, method)[0], prove_case(half, method)[0]
        known = [trade[:3] for trade in before["trades"]]
        assert [trade[:3] for trade in after["trades"] if trade[:3] not in known] == []
        assert after["open"] == before["open"]
        listed += len(after["trades"])
    assert listed == 8
