"""A user goes: sealed keys first, then every row with a path to the user, files and keys in Redis,
the sign-ins and at last the audit chain; the server's own chain keeps one line."""

import structlog
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Model

from accounts import privacy
from accounts.changes import changed
from accounts.models import ApiToken, AuditEntry, ExchangeAccount, Export, TradingKey, User
from accounts.services import auditing, exporting, sign_ins

log = structlog.get_logger(__name__)

ROWS_AT_ONCE = 2000


class CannotErase(Exception):
    """Something stands against it; the sentence is for the user."""


class WrongName(CannotErase):
    """The name was not typed as it is."""


@transaction.atomic
def ask(user: User, *, typed: str) -> None:
    """From here on nothing of the user works any more: keys are gone, nobody signs in. The rows
    follow (`erase`). Raises CannotErase, WrongName."""
    if typed != user.username:
        raise WrongName(f"Expected your name {user.username!r}, was {typed[:60]!r}.")
    reasons = privacy.refusals(user)
    if reasons:
        raise CannotErase(" ".join(reasons))
    row = User.objects.select_for_update().get(pk=user.pk)
    row.is_active = False
    row.set_unusable_password()
    row.save(update_fields=["is_active", "password"])
    ExchangeAccount.objects.filter(user=row).update(
        api_key=b"", api_secret=b"", state=ExchangeAccount.State.PAUSED
    )
    TradingKey.objects.filter(account__user=row).delete()
    ApiToken.objects.filter(user=row).update(key=b"", key_kind="")
    sign_ins.end_all(row, why="erasure asked for")
    changed(row, "deactivated")
    auditing.record(owner=row, actor=row, action="erasure asked for", subject=str(row.pk))


def erase(user_id: int) -> None:
    """In a worker, after `ask`; killed anywhere, the next run goes on. A user who is active is not
    erased: only `ask` may begin."""
    user = User.objects.filter(pk=user_id, is_active=False).first()
    if user is None:
        return
    privacy.before_erasure(user)
    for export in Export.objects.filter(user=user):
        exporting.remove(export)
    _end_sessions(user)
    for model, path in children_first():
        delete_rows(model, path, user.pk)
    with transaction.atomic():
        length, digest = auditing.forget(user)
        user.delete()
        auditing.record(
            owner=None,
            action="user erased",
            subject=str(user_id),
            why=f"{length} audit rows, the last {digest}",
        )
    log.info("user erased", user=user_id)


def waiting() -> list[int]:
    """Erasures that were asked for and have not ended."""
    entries = AuditEntry.objects.filter(action="erasure asked for", owner__is_active=False)
    return [owner for owner in entries.values_list("owner_id", flat=True) if owner is not None]


def left_over(user_id: int) -> dict[str, int]:
    """Tables that still hold rows of a user, with their number."""
    counts = {
        model._meta.label: model._default_manager.filter(**{path: user_id}).count()
        for model, path in privacy.led_to_user().items()
    }
    return {label: count for label, count in counts.items() if count}


def _end_sessions(user: User) -> None:
    """Every session, also such as were not opened by the sign-in page."""
    for session in Session.objects.iterator(chunk_size=500):
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()


def children_first() -> list[tuple[type[Model], str]]:
    """A row goes after those that point at it, so that no cascade grows large."""
    waiting = dict(privacy.led_to_user())
    del waiting[User], waiting[AuditEntry]
    ordered: list[tuple[type[Model], str]] = []
    while waiting:
        pointed_at = {
            field.related_model
            for model in waiting
            for field in model._meta.concrete_fields
            if field.is_relation and field.related_model is not model
        }
        free = [model for model in waiting if model not in pointed_at] or list(waiting)
        ordered += [(model, waiting.pop(model)) for model in free]
    return ordered


def delete_rows(model: type[Model], path: str, owner: object) -> None:
    """Those that lead to an owner by a path, some thousands at once."""
    mine = model._default_manager.filter(**{path: owner}).order_by("pk")
    while ids := list(mine.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        model._default_manager.filter(pk__in=ids).delete()
