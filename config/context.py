"""What every page shows."""

from django.conf import settings
from django.http import HttpRequest


def venue(request: HttpRequest) -> dict[str, str]:
    """Which exchange the data come from (`live`, `testnet` or `simulator`), and whether a stranger
    may sign up: `open`, `invitation` or `closed`."""
    return {"venue": settings.BINANCE, "sign_up": settings.SIGN_UP}
