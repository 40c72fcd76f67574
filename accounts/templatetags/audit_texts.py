"""What was done, in the reader's language; what is kept stays as it was written, for its digest."""

from django import template
from django.utils.translation import gettext, gettext_noop

register = template.Library()

ACTIONS = (
    gettext_noop("signed in"),
    gettext_noop("session ended"),
    gettext_noop("other sign-ins ended"),
    gettext_noop("password changed"),
    gettext_noop("e-mail changed"),
    gettext_noop("second factor added"),
    gettext_noop("second factor removed"),
    gettext_noop("second factor made anew"),
    gettext_noop("networks changed"),
    gettext_noop("deactivated"),
    gettext_noop("invitation made"),
    gettext_noop("export asked for"),
    gettext_noop("erasure asked for"),
    gettext_noop("user erased"),
    gettext_noop("token made"),
    gettext_noop("token revoked"),
    gettext_noop("tokens revoked"),
    gettext_noop("account connected"),
    gettext_noop("account made from files"),
    gettext_noop("account renamed"),
    gettext_noop("account paused"),
    gettext_noop("account resumed"),
    gettext_noop("account disconnected"),
    gettext_noop("account deleted"),
    gettext_noop("key replaced"),
    gettext_noop("trading key set"),
    gettext_noop("trading key removed"),
    gettext_noop("trading key forgotten"),
    gettext_noop("trading switched on"),
    gettext_noop("trading switched off"),
    gettext_noop("trading caps changed"),
    gettext_noop("file taken in"),
    gettext_noop("file undone"),
    gettext_noop("fill added by hand"),
    gettext_noop("fill by hand removed"),
    gettext_noop("cost of a deposit stated"),
    gettext_noop("stated cost of a deposit taken back"),
    gettext_noop("difference taken as opening"),
    gettext_noop("opening taken back"),
)


@register.filter
def action_text(action: str) -> str:
    return gettext(action)
