"""What every page shows."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from market.selectors import walls


def venue(request: HttpRequest) -> dict[str, object]:
    """Which exchange the data come from (`live`, `testnet` or `simulator`), whether it serves this
    machine (asked only where a template asks), and whether a stranger may sign up: `open`,
    `invitation` or `closed`."""
    return {
        "venue": settings.BINANCE,
        "is_walled": SimpleLazyObject(walls.stands),
        "sign_up": settings.SIGN_UP,
    }
