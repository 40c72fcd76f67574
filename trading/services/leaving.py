"""What has to end before a user's data can be erased."""

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from trading.models import OrderIntent, TradingSwitch
from trading.selectors.trades import OPEN

State = OrderIntent.State


def why_not_yet(user: User) -> str | None:
    """A sentence that stops the erasure; None: nothing of trading does."""
    switches = TradingSwitch.objects.on(timezone.now()).filter(account__user=user)
    labels = [switch.account.label for switch in switches.select_related("account")]
    if labels:
        return _("Trading is on for %(accounts)s: switch it off first.") % {
            "accounts": ", ".join(labels)
        }
    # without its key nobody can cancel anything here, nor learn what became of it
    own = OrderIntent.objects.here().filter(user=user).exclude(account__api_key=b"")
    waiting = own.filter(state__in=[State.WRITTEN, State.SENT, State.UNKNOWN])
    resting = own.filter(state=State.ACCEPTED, order__status__in=OPEN)
    names = sorted({intent.symbol for intent in [*waiting[:20], *resting[:20]]})
    if names:
        return _("Orders of yours are open (%(symbols)s): cancel them first.") % {
            "symbols": ", ".join(names)
        }
    return None
