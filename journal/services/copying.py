"""One account's whole journal, copied to another account of another user, row by row, inside
PostgreSQL: what the demo and its guests begin with. No request to an exchange is made.

Every table of the journal that has a way to the account or to its user is copied, found by the
models' own foreign keys, so that a new table comes along by itself. `LEFT_OUT` names the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from django.apps import apps
from django.db import connection, models, transaction

from accounts.models import ExchangeAccount, User

# what is of one person or of one moment: choices, files, views by name, a ledger half-way
LEFT_OUT = frozenset(
    {"Checkpoint", "Guest", "Preferences", "Rejected", "SavedView", "Upload", "Witness"}
)
# a longer text may hold the account's id (the key of a trade begins with it)
SHORTEST_KEY = 100
Model = type[models.Model]


@dataclass(frozen=True)
class Copied:
    """A table whose rows have new names: `old` and `new` in the temporary table `numbers`."""

    model: Model
    numbers: str


@transaction.atomic
def copy_journal(source: ExchangeAccount, target: ExchangeAccount, *, with_notes: bool) -> int:
    """Rows copied. `with_notes` copies what the source's user wrote too (setups, tags, notes); the
    target's user must not have any yet."""
    names = (f"copied_{number}" for number in count())
    done = {
        ExchangeAccount: _numbers_of_one(next(names), source.pk, target.pk, "uuid"),
        User: _numbers_of_one(next(names), source.user_id, target.user_id, "bigint"),
    }
    rows = 0
    for model, owner in _in_order(with_notes=with_notes):
        numbers = _number(next(names), model, owner, done)
        rows += _copy(model, numbers, done, source, target)
        done[model] = numbers
    _drop(done)
    return rows


# --- which tables, and in which order -----------------------------------------------------------


def _in_order(*, with_notes: bool) -> Iterator[tuple[Model, models.ForeignKey[Any, Any]]]:
    """Each model after those that it points at, with the field that says whose its rows are."""
    roots: set[Model] = {ExchangeAccount, User} if with_notes else {ExchangeAccount}
    waiting = [
        model
        for model in apps.get_app_config("journal").get_models(include_auto_created=True)
        if model.__name__ not in LEFT_OUT
    ]
    ready: set[Model] = set(roots)
    while True:
        later = []
        for model in waiting:
            owner = _owner(model, ready)
            if owner is None or _points_at(model) & (set(waiting) - {model}):
                later.append(model)
                continue
            ready.add(model)
            yield model, owner
        if len(later) == len(waiting):
            return
        # what can never be reached holds nobody up
        waiting = [model for model in later if _is_reachable(model, ready | set(later))]


def _owner(model: Model, ready: set[Model]) -> "models.ForeignKey[Any, Any] | None":
    """The account before the user before anything else that is copied."""
    keys = [field for field in _foreign_keys(model) if field.related_model in ready]
    ranks: list[Any] = [ExchangeAccount, User]
    return min(
        keys,
        key=lambda field: ranks.index(field.related_model) if field.related_model in ranks else 2,
        default=None,
    )


def _is_reachable(model: Model, known: set[Model]) -> bool:
    return any(field.related_model in known for field in _foreign_keys(model))


def _points_at(model: Model) -> set[Model]:
    return {field.related_model for field in _foreign_keys(model)}


def _is_ours(field: "models.ForeignKey[Any, Any]") -> bool:
    """What the market knows is everybody's and stays pointed at."""
    return field.related_model._meta.app_label == "journal"


def _foreign_keys(model: Model) -> "list[models.ForeignKey[Any, Any]]":
    return [field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)]


# --- SQL: names are the models' own, values are parameters --------------------------------------


def _numbers_of_one(name: str, old: Any, new: Any, kind: str) -> Copied:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {name} (old {kind}, new {kind}) ON COMMIT DROP")
        cursor.execute(f"INSERT INTO {name} VALUES (%s, %s)", [old, new])  # noqa: S608
    return Copied(ExchangeAccount if kind == "uuid" else User, name)


def _number(
    name: str,
    model: Model,
    owner: "models.ForeignKey[Any, Any]",
    done: dict[Model, Copied],
) -> Copied:
    """New primary keys in the order of the old ones."""
    key = model._meta.pk
    assert key is not None
    table, column = model._meta.db_table, key.column
    mine = done[owner.related_model].numbers
    if isinstance(key, models.ForeignKey):
        new = "mine.new"
    elif isinstance(key, models.UUIDField):
        new = "gen_random_uuid()"
    else:
        new = f"nextval(pg_get_serial_sequence('\"{table}\"', '{column}'))"
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS "  # noqa: S608
            f'SELECT row."{column}" AS old, {new} AS new FROM '
            f'(SELECT * FROM "{table}" ORDER BY "{column}") AS row '
            f'JOIN {mine} AS mine ON row."{owner.column}" = mine.old'
        )
        cursor.execute(f"ANALYZE {name}")
    return Copied(model, name)


def _copy(
    model: Model,
    numbers: Copied,
    done: dict[Model, Copied],
    source: ExchangeAccount,
    target: ExchangeAccount,
) -> int:
    columns, values, joins, parameters = [], [], [], []
    for field in model._meta.concrete_fields:
        if field.generated:
            continue
        columns.append(f'"{field.column}"')
        own = f'row."{field.column}"'
        if field.primary_key:
            values.append("numbers.new")
        elif isinstance(field, models.ForeignKey):
            related = done.get(field.related_model)
            if related is None:
                values.append("NULL" if field.null and _is_ours(field) else own)
                continue
            place = f"to_{field.column}"
            joins.append(f"LEFT JOIN {related.numbers} AS {place} ON {own} = {place}.old")
            values.append(f"{place}.new")
        elif isinstance(field, models.CharField) and (field.max_length or 0) >= SHORTEST_KEY:
            values.append(f"replace({own}, %s, %s)")
            parameters += [str(source.pk), str(target.pk)]
        else:
            values.append(own)
    key = model._meta.pk
    assert key is not None
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)}) '  # noqa: S608
            f"SELECT {', '.join(values)} "
            f'FROM "{model._meta.db_table}" AS row '
            f'JOIN {numbers.numbers} AS numbers ON row."{key.column}" = numbers.old '
            f"{' '.join(joins)} ORDER BY numbers.old",
            parameters,
        )
        rows: int = cursor.rowcount
        return rows


def _drop(done: dict[Model, Copied]) -> None:
    """A transaction around this one may copy again."""
    with connection.cursor() as cursor:
        for copied in done.values():
            cursor.execute(f"DROP TABLE {copied.numbers}")
