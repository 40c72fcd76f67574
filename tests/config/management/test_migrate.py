"""`manage.py migrate` takes the time that a large table needs, and gives it back."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.models.signals import pre_migrate

from config.management.commands.migrate import Command

pytestmark = pytest.mark.django_db(transaction=True)


class Beside(Migration):
    atomic = False


def limits() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
        )
        known: tuple[str, str] = cursor.fetchone()
    return known


def test_a_statement_has_no_limit_but_a_lock() -> None:
    before, seen = limits(), []

    def look(**_: Any) -> None:
        """As the executor tells of migrations, of which none is left to do here."""
        seen.append(limits())
        command = Command(stdout=None)
        command.connection, command.verbosity = connection, 0
        for kind in (Beside, Migration):
            command.migration_progress_callback("apply_start", kind("0001_any", "market"))
            seen.append(limits())

    pre_migrate.connect(look)
    try:
        call_command("migrate", "market", verbosity=0)
    finally:
        pre_migrate.disconnect(look)
    assert before == ("30s", "0")
    # one that builds beside everybody waits for their transactions, which hold nobody up
    assert seen[:3] == [("0", "30s"), ("0", "0"), ("0", "30s")]
    assert limits() == before


def test_an_index_beside_everybody_is_taken_back_and_built_again() -> None:
    """Through the command itself: the last step but one, and forward again."""
    before = limits()
    try:
        call_command("migrate", "journal", "0025", verbosity=0)
        assert not has_index("realized_for_tax_alone")
    finally:
        call_command("migrate", "journal", verbosity=0)
    assert has_index("realized_for_tax_alone")
    assert limits() == before


def has_index(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname = %s", [name])
        return bool(cursor.fetchone()[0])


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
