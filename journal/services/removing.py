"""A setup, a tag or a template of notes is taken away, and can be brought back for a while."""

import secrets
from typing import Any

from django.core.cache import cache
from django.db import transaction

from accounts.models import User
from journal.models import Annotation, NoteTemplate, Setup, Tag

KEPT_SECONDS = 600
KEY = "journal:removed:%s:%s"
KINDS: dict[str, Any] = {"setup": Setup, "tag": Tag, "template": NoteTemplate}
# what makes one of a user's, and what else it says
NAMED_BY = {"setup": ("name",), "tag": ("kind", "name"), "template": ("name",)}
SAYS: dict[str, tuple[str, ...]] = {
    "setup": ("rules", "conditions"),
    "tag": (),
    "template": ("text",),
}


@transaction.atomic
def remove(*, user: User, kind: str, pk: int) -> str:
    """What `restore` takes; empty where there is no such thing. Raises KeyError for an unknown
    kind."""
    row = KINDS[kind].objects.filter(user=user, pk=pk).first()
    if row is None:
        return ""
    kept = {
        "kind": kind,
        "name": {name: getattr(row, name) for name in NAMED_BY[kind]},
        "says": {name: getattr(row, name) for name in SAYS[kind]},
        "notes": list(_notes(kind, row)),
    }
    row.delete()
    token = secrets.token_urlsafe(12)
    cache.set(KEY % (user.pk, token), kept, KEPT_SECONDS)
    return token


@transaction.atomic
def restore(*, user: User, token: str) -> bool:
    """Its notes have it again, but for those that were given another setup meanwhile. Whether it
    was still kept."""
    key = KEY % (user.pk, token[:40])
    kept = cache.get(key)
    if kept is None:
        return False
    kind = kept["kind"]
    row, _ = KINDS[kind].objects.update_or_create(user=user, **kept["name"], defaults=kept["says"])
    notes = Annotation.objects.filter(user=user, pk__in=kept["notes"])
    if kind == "setup":
        notes.filter(setup=None).update(setup=row)
    elif kind == "tag":
        for note in notes:
            note.tags.add(row)
    cache.delete(key)
    return True


def _notes(kind: str, row: Any) -> Any:
    if kind == "setup":
        return row.annotations.values_list("pk", flat=True)
    return Annotation.objects.filter(tags=row).values_list("pk", flat=True) if kind == "tag" else ()
