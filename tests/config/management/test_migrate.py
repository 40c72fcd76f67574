"""`manage.py migrate` takes the time that a large table needs, and gives it back."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import pre_migrate

pytestmark = pytest.mark.django_db(transaction=True)


def limits() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
        )
        known: tuple[str, str] = cursor.fetchone()
    return known


def test_a_statement_has_no_limit_but_a_lock() -> None:
    before, seen = limits(), set()

    def look(**_: Any) -> None:
        seen.add(limits())

    pre_migrate.connect(look)
    try:
        call_command("migrate", verbosity=0)
    finally:
        pre_migrate.disconnect(look)
    assert before == ("30s", "0")
    assert seen == {("0", "30s")}
    assert limits() == before


def test_a_migration_that_fails_leaves_the_limits_as_they_were() -> None:
    def fail(**_: Any) -> None:
        raise ValueError("expected")

    before = limits()
    pre_migrate.connect(fail)
    try:
        with pytest.raises(ValueError, match="expected"):
            call_command("migrate", verbosity=0)
    finally:
        pre_migrate.disconnect(fail)
    assert limits() == before
