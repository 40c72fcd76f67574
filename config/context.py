"""What every page shows."""

from django.conf import settings
from django.http import HttpRequest


def venue(request: HttpRequest) -> dict[str, str]:
    """Which exchange the data come from: `live`, `testnet` or `simulator`."""
    return {"venue": settings.BINANCE}
