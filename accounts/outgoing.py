"""From which address this server calls Binance, so that a key can be bound to it."""

import socket
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings

# Any address of the internet: nothing is sent there, the kernel only chooses a way.
SOMEWHERE = "8.8.8.8"


def address() -> str:
    """The setting, else as this machine sees itself; empty when it cannot tell, as behind a router,
    where that would be an address that Binance never sees. Sends nothing."""
    if settings.OUTGOING_ADDRESS:
        return str(settings.OUTGOING_ADDRESS)
    host = urlsplit(settings.BINANCE_SPOT_API_URL).hostname or ""
    is_here = host in {"127.0.0.1", "localhost"}
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host if is_here else SOMEWHERE, 443))
            own_address = str(probe.getsockname()[0])
    except OSError:
        return ""
    return own_address if is_here or ip_address(own_address).is_global else ""


def is_loopback() -> bool:
    """Whether the exchange is on this very machine: then no key can be bound to an address."""
    own_address = address()
    return bool(own_address) and ip_address(own_address).is_loopback
