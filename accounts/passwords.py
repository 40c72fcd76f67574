"""What a new password ends, whichever door it came through: the page, a reset, the admin, or
`manage.py changepassword`. Django tells its validators, and not when it only hashes anew."""

from accounts.changes import changed
from accounts.models import User
from accounts.services import auditing, sign_ins


class EndsSignIns:
    """Stands among AUTH_PASSWORD_VALIDATORS; any password is right to it."""

    def validate(self, password: str, user: User | None = None) -> None:
        return

    def get_help_text(self) -> str:
        return ""

    def password_changed(self, password: str, user: User | None = None) -> None:
        if user is None or user.pk is None or not _was_used(user):
            return
        auditing.record(owner=user, action="password changed", subject=str(user.pk))
        sign_ins.end_all(user, why="password changed")
        changed(user, "password")


def _was_used(user: User) -> bool:
    """A newcomer's first password ends nothing."""
    return user.last_login is not None or user.api_tokens.exists()
