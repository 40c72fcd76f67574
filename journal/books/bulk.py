"""Many rows of one model at once, as fast as PostgreSQL takes them. Django's own way makes up a
statement for each batch, which takes ten times as long as the rows themselves: a year's first
numbers wait for it, and whoever wants to write on the book."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from types import NoneType
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection, connections
from django.db.models import Field, JSONField, Model

Row = TypeVar("Row", bound=Model)
# What every field but JSON hands on unchanged.
PLAIN = {str, int, bool, Decimal, UUID, NoneType}


def insert(rows: Sequence[Row]) -> None:
    """Unsaved rows with whole numbers as keys, which they have afterwards. Every column has to have
    a value; nothing of theirs is told to signals. Raises as `bulk_create` does."""
    if not rows:
        return
    model = type(rows[0])
    fields = model._meta.concrete_fields
    with connection.wrap_database_errors, connection.cursor() as cursor:
        for row, key in zip(rows, _keys(cursor, model, len(rows)), strict=True):
            row.pk = key
        names = ", ".join(_quoted(field.column) for field in fields)
        cells = _Cells(fields, is_new=True)
        with cursor.copy(f"COPY {_quoted(model._meta.db_table)} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(cells(row))
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def update(rows: Iterable[Row], names: Sequence[str]) -> None:
    """These fields of saved rows. Whoever calls has locked them, in one order."""
    rows = list(rows)
    if not rows:
        return
    model = type(rows[0])
    fields = [model._meta.get_field(name) for name in names]
    concrete = [field for field in fields if isinstance(field, Field)]
    columns = ", ".join(f"{_quoted(field.column)} = %s" for field in concrete)
    table, key = _quoted(model._meta.db_table), _quoted(_key_of(model).column)
    statement = f"UPDATE {table} SET {columns} WHERE {key} = %s"  # noqa: S608  (our own names)
    cells = _Cells(concrete, is_new=False)
    values = [[*cells(row), row.pk] for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)


def _keys(cursor: Any, model: type[Model], count: int) -> list[int]:
    """So many new ones. Fetched at once, since the rows are written in one go."""
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
        [model._meta.db_table, _key_of(model).column, count],
    )
    return [key for (key,) in cursor.fetchall()]


def _key_of(model: type[Model]) -> "Field[Any, Any]":
    key = model._meta.pk
    assert key is not None
    return key


class _Cells:
    """A row -> what its columns hold. What psycopg adapts as it is goes past Django's own look at
    it, which takes longer than the row itself."""

    def __init__(self, fields: Sequence["Field[Any, Any]"], *, is_new: bool) -> None:
        self._fields = [(field, not isinstance(field, JSONField)) for field in fields]
        self._is_new = is_new
        self._connection = connections[connection.alias]

    def __call__(self, row: Model) -> list[Any]:
        values = []
        for field, may_be_plain in self._fields:
            value = field.pre_save(row, add=self._is_new)
            is_plain = may_be_plain and type(value) in PLAIN
            values.append(value if is_plain else field.get_db_prep_save(value, self._connection))
        return values


def _quoted(name: str | None) -> str:
    assert name is not None
    return connection.ops.quote_name(name)
