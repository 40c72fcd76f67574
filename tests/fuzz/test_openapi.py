"""Schemathesis over every operation of the OpenAPI description: no 5xx, and answers as described.

`make fuzz` gives each operation FUZZ_CASES cases of each kind (those of the suite: few, always the
same ones).
"""

import os
from collections import Counter
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from accounts.models import User
from tests.fuzz.door import Door
from tests.signing_in import sign_in
from tests.test_isolation import bobs  # noqa: F401  (a fixture)

pytestmark = pytest.mark.django_db
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


def own(mine: dict[str, str]) -> dict[str, str]:
    """Ids of bob's by the name of the path's or query's part."""
    return {f"{name}_id": value for name, value in mine.items()} | {
        "account_id": mine["exchange"],
        "account": mine["exchange"],
    }


def test_the_description_has_no_guess_and_no_collision(capsys: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", os.devnull)
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.timeout(0 if CASES else 300)
# lists as files are for ASGI
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous")
def test_every_operation_answers_as_described(
    bob: User,
    bobs: dict[str, str],  # noqa: F811
    mode: GenerationMode,
) -> None:
    with connection.cursor() as cursor:  # making cases takes its time
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    cookie = sign_in(Client(), bob).cookies[settings.SESSION_COOKIE_NAME].value
    schema = schemathesis.openapi.from_wsgi("/api/schema/", Door(cookie).serve)
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
            _try_out(operation.as_strategy(generation_mode=mode), own(bobs), seen)
        except Unsatisfiable:  # whatever is sent is as described
            assert mode is GenerationMode.NEGATIVE, operation.label
        except (Failure, FailureGroup, AssertionError) as error:
            faults[operation.label] = _told(error)
    print(mode, dict(seen))  # noqa: T201
    assert not faults, "\n\n".join(f"{label}\n{text}" for label, text in faults.items())
    assert ONLY or (seen[200] if mode is GenerationMode.POSITIVE else seen[400])


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
