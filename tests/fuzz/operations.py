"""Cases for every operation of a description, sent and judged. Only who fuzzes imports this, since
Schemathesis takes seconds to load."""

import os
from collections import Counter
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from tests.fuzz.door import Door

CASES = int(os.environ.get("FUZZ_CASES", "0"))
# words of the operations' names, as in FUZZ_ONLY="brackets stop"; none: all
ONLY = os.environ.get("FUZZ_ONLY", "").split()
IN_THE_SUITE = 3
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# What is away in a test (a collector, the exchange) is told by 503, which is described.
AWAY = 503


def try_all(door: Door, mode: str, mine: dict[str, str]) -> tuple[dict[str, str], Counter[int]]:
    """Of a mode (`positive`: as described, `negative`: not so), with `mine` for some of the ids:
    what was wrong by the operation, and how often each status was answered."""
    generation = GenerationMode(mode)
    schema = schemathesis.openapi.from_wsgi("/api/schema/", door.serve)
    faults: dict[str, str] = {}
    seen: Counter[int] = Counter()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if ONLY and not any(word in operation.label for word in ONLY):
            continue
        if CASES:
            print(f"{sum(seen.values()):8,} cases, then {operation.label}", flush=True)  # noqa: T201
        try:
            _try_out(operation.as_strategy(generation_mode=generation), mine, seen)
        except Unsatisfiable:  # whatever is sent is as described
            assert generation is GenerationMode.NEGATIVE, operation.label
        except (Failure, FailureGroup, AssertionError) as error:
            faults[operation.label] = _told(error)
    return faults, seen


def _try_out(
    cases: st.SearchStrategy[Case[Any]],
    mine: dict[str, str],
    seen: Counter[int],
) -> None:
    @hypothesis_settings(
        max_examples=CASES or IN_THE_SUITE,
        deadline=None,
        database=None,
        derandomize=not CASES,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, is_own=st.booleans())
    def answers(case: Case[Any], is_own: bool) -> None:
        if is_own and case.meta is not None and case.meta.generation.mode.is_positive:
            for container in (case.path_parameters, case.query):
                container.update({name: mine[name] for name in container if name in mine})
        answer = case.call()
        seen[answer.status_code] += 1
        assert answer.status_code < 500 or answer.status_code == AWAY, case.as_curl_command()
        case.validate_response(answer, checks=_checks(case))

    answers()


def _checks(case: Case[Any]) -> list[Any]:
    """Only for long: whether everything is refused that the description does not allow.

    A parameter without a value is as one that is not given (docs/api.md), and what stands in a list
    is sent as if it stood there alone.
    """
    is_another = any(
        value in ("", None, {}) or isinstance(value, list) for value in case.query.values()
    )
    if not CASES or is_another:
        return CHECKS
    return [*CHECKS, checks.negative_data_rejection]


def _told(error: BaseException) -> str:
    lines = [str(one) for one in getattr(error, "exceptions", [error])]
    return "\n".join(lines)[:3000]
