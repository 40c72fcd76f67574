"""From which address this server calls Binance, so that a key can be bound to it."""

import socket
from urllib.parse import urlsplit

from django.conf import settings


def address() -> str:
    """The setting, else as this machine sees itself; empty when it cannot tell. Sends nothing."""
    if settings.OUTGOING_ADDRESS:
        return str(settings.OUTGOING_ADDRESS)
    parts = urlsplit(settings.BINANCE_SPOT_API_URL)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(1)
            probe.connect((parts.hostname or "", parts.port or 443))
            return str(probe.getsockname()[0])
    except OSError:
        return ""
