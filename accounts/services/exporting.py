"""Everything that is a user's as one zip: made by a worker, table by table, some thousands of rows
at a time, so that nothing is held at anybody's pace."""

import base64
import csv
import hashlib
import io
import json
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import structlog
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.db.models import Model
from django.http import StreamingHttpResponse
from django.utils import timezone

from accounts import privacy
from accounts.models import Export, User
from accounts.services import auditing
from lib.sending import Sent
from market.jobs.guarding import each

log = structlog.get_logger(__name__)

State = Export.State
ROWS_AT_ONCE = 2000
KEPT_FOR = timedelta(hours=24)
# A worker that has not ended one by now has died with it.
LONGEST = timedelta(hours=2)
FOLDER = "exports"


@transaction.atomic
def ask(user: User) -> Export:
    """One at a time: asked again while one is being made, it is that one."""
    User.objects.select_for_update().get(pk=user.pk)
    export = Export.objects.filter(user=user).first()
    now = timezone.now()
    if export is not None and _is_being_made(export, now):
        return export
    if export is not None:
        remove(export)
    auditing.record(owner=user, actor=user, action="export asked for", subject=str(user.pk))
    return Export.objects.create(user=user, asked_at=now, of=len(privacy.exported()))


def make(export_id: int) -> None:
    """In a worker; a second one that is told the same finds nothing to do."""
    mine = Export.objects.filter(pk=export_id, state=State.WAITING)
    if not mine.update(state=State.RUNNING):
        return
    export = Export.objects.select_related("user").get(pk=export_id)
    try:
        with tempfile.TemporaryFile() as file:
            _write(export, file)
            name = default_storage.save(f"{FOLDER}/{uuid.uuid4()}.zip", File(file))
    except (OSError, DatabaseError) as error:
        log.error("export failed", user=export.user_id, error=type(error).__name__)
        Export.objects.filter(pk=export_id).update(state=State.FAILED)
        return
    until = timezone.now() + KEPT_FOR
    still = Export.objects.filter(pk=export_id)
    if not still.update(state=State.DONE, file=name, until=until):  # erased meanwhile
        default_storage.delete(name)
    log.info("export made", user=export.user_id)


def as_answer(export: Export) -> StreamingHttpResponse:
    file = default_storage.open(export.file)
    answer = StreamingHttpResponse(Sent(file), content_type="application/zip")
    answer["Content-Disposition"] = 'attachment; filename="tapelog.zip"'
    return answer


def remove(export: Export) -> None:
    if export.file:
        default_storage.delete(export.file)
    export.delete()


def tidy() -> None:
    """What has ended goes; what died with its worker is told as failed."""
    now = timezone.now()
    ended = Export.objects.filter(until__lte=now)
    each("export", ended, remove, name_of=lambda export: export.pk)
    stuck = Export.objects.filter(
        state__in=[State.WAITING, State.RUNNING], asked_at__lt=now - LONGEST
    )
    stuck.update(state=State.FAILED)


def _is_being_made(export: Export, now: datetime) -> bool:
    return export.state in {State.WAITING, State.RUNNING} and export.asked_at > now - LONGEST


def _write(export: Export, file: IO[bytes]) -> None:
    lists = privacy.lists()
    manifest: dict[str, Any] = {"user": export.user.username, "made_at": timezone.now()}
    manifest["tables"], manifest["left_out"] = (
        {},
        {name: why for name, (_, why) in lists.LEFT_OUT.items()},
    )
    manifest["secrets"] = {name: list(columns) for name, columns in lists.SECRETS.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, (model, path) in enumerate(privacy.exported().items(), 1):
            manifest["tables"][model._meta.label] = _write_table(archive, model, path, export.user)
            Export.objects.filter(pk=export.pk).update(done=done)
        archive.writestr("manifest.json", json.dumps(manifest, default=_as_text, indent=1))


def _write_table(
    archive: zipfile.ZipFile, model: type[Model], path: str, user: User
) -> dict[str, Any]:
    """Returns what the manifest says: rows, and the digest of the lines."""
    label = model._meta.label
    digest, count = hashlib.sha256(), 0
    name = privacy.lists().TABLES_AS_CSV.get(label)
    files: list[tuple[str, bytes]] = []
    with tempfile.TemporaryFile() as lines, closing(_Csv()) as table:
        for row in _rows(model, path, user):
            count += 1
            told = _told(label, row, files)
            line = json.dumps(told, default=_as_text, ensure_ascii=False).encode() + b"\n"
            digest.update(line)
            lines.write(line)
            if name is not None:
                table.write(told)
            while files:
                archive.writestr(*files.pop())
        lines.seek(0)
        with archive.open(f"{label}.jsonl", "w", force_zip64=True) as target:
            while block := lines.read(1 << 20):
                target.write(block)
        if name is not None:
            table.into(archive, name)
    return {"rows": count, "sha256": digest.hexdigest()}


def _rows(model: type[Model], path: str, user: User) -> Iterator[dict[str, Any]]:
    """By primary key, a page at a time: no transaction is held open over the whole."""
    last: Any = None
    while True:
        rows = model._default_manager.filter(**{path: user.pk}).order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        page = list(rows.values()[:ROWS_AT_ONCE])
        yield from page
        if len(page) < ROWS_AT_ONCE:
            return
        last = page[-1][model._meta.pk.attname]


def _told(label: str, row: dict[str, Any], files: list[tuple[str, bytes]]) -> dict[str, Any]:
    """A row without its secrets; a column that is a file becomes the file's name."""
    for column in privacy.lists().SECRETS.get(label, ()):
        row[f"{column}_is_set"] = bool(row.pop(column))
    column, suffix = privacy.lists().FILES.get(label, ("", ""))
    if column and row.get(column):
        name = f"files/{label}-{row['id']}{suffix or Path(str(row.get('name', ''))).suffix[:8]}"
        files.append((name, bytes(row[column])))
        row[column] = name
    return row


class _Csv:
    """The same rows for a spreadsheet."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(1 << 20)  # noqa: SIM115  (see `close`)
        self._text = io.TextIOWrapper(self._file, "utf-8", newline="")
        self._writer = csv.writer(self._text)
        self._header: list[str] = []

    def write(self, row: dict[str, Any]) -> None:
        if not self._header:
            self._header = list(row)
            self._writer.writerow(self._header)
        self._writer.writerow([_cell(row.get(name)) for name in self._header])

    def into(self, archive: zipfile.ZipFile, name: str) -> None:
        self._text.flush()
        self._file.seek(0)
        with archive.open(name, "w", force_zip64=True) as target:
            while block := self._file.read(1 << 20):
                target.write(block)

    def close(self) -> None:
        self._text.close()


def _cell(value: Any) -> str:
    """Text that a spreadsheet would take for a formula is quoted; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    if isinstance(value, dict | list):
        return json.dumps(value, default=_as_text)
    return _as_text(value) if not isinstance(value, str | int) else str(value)


def _as_text(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return str(value)
