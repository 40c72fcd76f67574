"""Whether a stranger may become a user: a setting, and invitations where it says so."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Invitation, User
from accounts.services import auditing

# Where the code of an invitation waits between the link and the form.
SESSION_KEY = "invitation"
DAYS = 7


def is_open() -> bool:
    """Whether anybody may sign up (and look around as a guest)."""
    return bool(settings.SIGN_UP == "open")


def may_sign_up(request: HttpRequest) -> bool:
    return is_open() or (settings.SIGN_UP == "invitation" and _invitation_of(request) is not None)


def invite(*, by: User | None, days: int = DAYS) -> str:
    """Returns the code, which is nowhere kept."""
    code = Invitation.new_code()
    Invitation.objects.create(
        digest=Invitation.digest_of(code),
        made_by=by,
        until=timezone.now() + timedelta(days=days),
    )
    auditing.record(owner=by, actor=by, action="invitation made", subject=f"{days} days")
    return code


@transaction.atomic
def use_invitation(request: HttpRequest, newcomer: User) -> bool:
    """Spends the invitation that the newcomer came with; False when somebody else just did."""
    if settings.SIGN_UP != "invitation":
        return True
    invitation = _invitation_of(request)
    if invitation is None:
        return False
    mine = Invitation.objects.filter(pk=invitation.pk, used_at=None)
    return bool(mine.update(used_at=timezone.now(), used_by=newcomer))


def _invitation_of(request: HttpRequest) -> Invitation | None:
    code = request.GET.get("invitation")
    if code:
        request.session[SESSION_KEY] = code[:64]
    code = request.session.get(SESSION_KEY)
    if not code:
        return None
    open_ones = Invitation.objects.filter(used_at=None, until__gt=timezone.now())
    return open_ones.filter(digest=Invitation.digest_of(code)).first()
