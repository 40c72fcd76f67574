"""An empty database gets its tables at once (`0001_whole`); one from before goes step by step. Both
ways end the same."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

pytestmark = pytest.mark.django_db
OURS = ("accounts", "market", "journal", "trading", "alerts")


def test_the_whole_is_what_the_steps_make() -> None:
    whole, steps = _state(replaced=True), _state(replaced=False)
    assert whole.models.keys() == steps.models.keys()
    for key in steps.models:
        if key[0] in OURS:
            assert _told(whole.models[key]) == _told(steps.models[key]), key


def test_an_empty_database_takes_the_whole() -> None:
    applied = MigrationLoader(connection).applied_migrations
    for app in ("accounts", "market", "journal"):
        assert (app, "0001_whole") in applied


def _state(*, replaced: bool) -> ProjectState:
    loader = MigrationLoader(None, replace_migrations=replaced)
    state: ProjectState = loader.project_state()
    return state


def _told(model: ModelState) -> dict[str, Any]:
    """Fields by name, since their order does not count; indexes and constraints by theirs."""
    options = {name: value for name, value in model.options.items() if name != "abstract"}
    for kind in ("indexes", "constraints"):
        options[kind] = sorted(repr(one.deconstruct()) for one in options.get(kind, []))
    fields = {name: field.deconstruct()[1:] for name, field in model.fields.items()}
    return {"fields": fields, "options": options, "bases": model.bases}
