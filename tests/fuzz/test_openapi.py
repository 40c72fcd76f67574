"""Schemathesis over every operation of the OpenAPI description: no 5xx, and answers as described.

`make fuzz` gives each operation FUZZ_CASES cases of each kind (those of the suite: few, always the
same ones).
"""

import os
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from accounts.models import User
from tests.fuzz.door import Door
from tests.signing_in import sign_in
from tests.test_isolation import bobs  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("as_often_as_wished")]
IS_LONG = bool(int(os.environ.get("FUZZ_CASES", "0")))


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


@pytest.mark.parametrize(("mode", "status"), [("positive", 200), ("negative", 400)])
@pytest.mark.timeout(0 if IS_LONG else 300)
# lists as files are for ASGI
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous")
def test_every_operation_answers_as_described(
    bob: User,
    bobs: dict[str, str],  # noqa: F811
    mode: str,
    status: int,
) -> None:
    from tests.fuzz import operations

    with connection.cursor() as cursor:  # making cases takes its time
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    cookie = sign_in(Client(), bob).cookies[settings.SESSION_COOKIE_NAME].value
    faults, seen = operations.try_all(Door(cookie), mode, own(bobs))
    print(mode, dict(seen))  # noqa: T201
    assert not faults, "\n\n".join(f"{label}\n{text}" for label, text in faults.items())
    assert 429 not in seen
    assert operations.ONLY or seen[status]
