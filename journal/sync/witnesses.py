"""Rows that another door told better: kept as they were, and brought back when the winner goes."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from accounts.models import ExchangeAccount
from journal.books.bulk import insert
from journal.models import Fill, Income, ManualFill, Transfer, Upload, Witness

Kept = Fill | ManualFill | Transfer | Income
Winner = Fill | Transfer | Income
KINDS: dict[type[models.Model], str] = {
    Fill: Witness.Kind.FILL,
    ManualFill: Witness.Kind.MANUAL,
    Transfer: Witness.Kind.TRANSFER,
    Income: Witness.Kind.INCOME,
}
# what the row is again by where it stands
APART = {"account", "upload", "flow_due_at"}


def witness(row: Kept, winner: Winner, upload: Upload | int | None) -> Witness:
    """Unsaved; `upload` is the file that told `row`."""
    upload_id = upload.pk if isinstance(upload, Upload) else upload
    return Witness(
        account_id=row.account_id,
        kind=KINDS[type(row)],
        content=content(row),
        upload_id=upload_id,
        **{type(winner).__name__.lower(): winner},
    )


def keep(rows: Sequence[Witness]) -> None:
    insert(rows)


def hand_over(losers: Iterable[Winner], winners: Iterable[Winner]) -> None:
    """What witnessed for a row that lost now witnesses for the one that won."""
    for loser, winner in zip(losers, winners, strict=True):
        name = type(winner).__name__.lower()
        Witness.objects.filter(**{name: loser}).update(**{name: winner})


def content(row: Kept) -> dict[str, Any]:
    """Every field of its own as JSON: numbers as text, times as ISO 8601."""
    fields = (field for field in row._meta.concrete_fields if field.name not in APART)
    encode = DjangoJSONEncoder().default
    plain = (str, int, float, bool, type(None))
    values = {field.attname: getattr(row, field.attname) for field in fields}
    return {k: v if isinstance(v, plain) else encode(v) for k, v in values.items()}


def brought_back(row: Witness, account: ExchangeAccount) -> Kept:
    """The row as it was, unsaved."""
    model = next(model for model, kind in KINDS.items() if kind == row.kind)
    names = {field.attname: field for field in model._meta.concrete_fields}
    values = {k: names[k].to_python(v) for k, v in row.content.items() if k in names}
    if model is not ManualFill:
        values["id"] = None
        values["upload_id"] = row.upload_id
    brought: Any = model(account=account, **values)
    return brought  # type: ignore[no-any-return]
