"""Where a message may go: addresses of the public internet over https, and what the operator has
excepted (WEBHOOK_ALLOWED_NETWORKS, http included).

Each delivery resolves anew and refuses when any of the addresses is inner, so that a name that is
public today and inner tomorrow leads nowhere; the caller connects to the addresses given here.
"""

import concurrent.futures
import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from alerts.conditions.fields import gettext_noop, shown
from lib.networks import Address, Network

Resolve = Callable[[str, int], Sequence[str]]

LONGEST_URL = 2000
RESOLVE_SECONDS = 3.0
# Names that are of no public zone (RFC 6761, RFC 8375, ICANN's .internal).
INNER_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "test")
# IPv6 that carries an IPv4 address: how far it is to be shifted to get at it.
CARRIERS = (
    (ipaddress.IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (ipaddress.IPv6Network("::/96"), 0),  # compatible, long gone
    (ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),  # translated (SIIT)
    (ipaddress.IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.IPv6Network("2002::/16"), 80),  # 6to4
)
# Of these the address says nothing of who is behind it, or nobody public is.
INNER_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
    )
)
_resolving = concurrent.futures.ThreadPoolExecutor(8, "resolve")


class Refused(ValueError):
    """An address that nothing is sent to; `template % values` says why."""

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template % values)
        self.template = template
        self.values = values


class Unresolved(OSError):
    """The name has no address now; it may have one later."""


@dataclass(frozen=True)
class Place:
    """A URL that may be sent to as far as its text tells; `path` with the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        standard = 443 if self.scheme == "https" else 80
        return host if self.port == standard else f"{host}:{self.port}"


def read(url: str, allowed: Sequence[Network]) -> Place:
    """Raises Refused."""
    if not 0 < len(url) <= LONGEST_URL or not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise Refused(gettext_noop("Expected an address such as https://example.com/hook."))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused(
            gettext_noop("Expected an address such as https://example.com/hook.")
        ) from error
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise Refused(
            gettext_noop("Expected an address that begins with https://, was %(value)s."),
            value=shown(url),
        )
    if "@" in parts.netloc:
        raise Refused(gettext_noop("Expected an address without a user name or password in it."))
    if parts.fragment or "#" in url:
        raise Refused(gettext_noop("Expected an address without a # in it."))
    if port == 0:
        raise Refused(gettext_noop("Expected a port from 1 to 65535."))
    host = _host(parts.hostname)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    place = Place(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)
    if not allowed:
        _check_name(place)
        if place.scheme == "http":
            raise _only_https(url)
    return place


def addresses_of(
    place: Place, allowed: Sequence[Network], resolve: Resolve | None = None
) -> list[str]:
    """Where to connect to, all of it checked, as of now. Raises Refused, Unresolved."""
    answers = (resolve or look_up)(place.host, place.port)
    if not answers:
        raise Unresolved(f"{place.host} has no address")
    addresses: list[str] = []
    for text in answers:
        address = ipaddress.ip_address(text.partition("%")[0])
        is_excepted = any(_within(address, network) for network in allowed)
        if not is_excepted:
            _check_name(place)
            if "%" in text or is_inner(address):
                raise Refused(
                    gettext_noop("%(host)s is an inner address: expected one of the internet."),
                    host=place.host,
                )
            if place.scheme == "http":
                raise _only_https(f"http://{place.authority}")
        addresses.append(str(address))
    return list(dict.fromkeys(addresses))


def is_inner(address: Address) -> bool:
    """Whether it is not, beyond doubt, somebody on the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = carried_by(address)
        if carried is not None:
            return is_inner(carried)
    if any(_within(address, network) for network in INNER_NETWORKS):
        return True
    return not address.is_global or address.is_multicast or address.is_reserved


def carried_by(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address inside an IPv6 one; None where there is none."""
    for network, shift in CARRIERS:
        if address in network:
            return ipaddress.IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    return None


def look_up(host: str, port: int) -> list[str]:
    """What the resolver says, in a thread that nobody waits for longer than some seconds. Raises
    Unresolved."""
    lookup = _resolving.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        answers = lookup.result(timeout=RESOLVE_SECONDS)
    except (OSError, UnicodeError, concurrent.futures.TimeoutError) as error:
        lookup.cancel()
        raise Unresolved(f"{host} has no address now") from error
    return [str(answer[4][0]) for answer in answers]


def _host(raw: str) -> str:
    """Lower case, without a final point; numbers only as addresses are written."""
    host = raw.lower().removesuffix(".")
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    if "%" in host or not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", host) or len(host) > 253:
        raise Refused(
            gettext_noop("Expected a host name of letters and digits, was %(value)s."),
            value=shown(raw),
        )
    # 2130706433, 0x7f.1, 017700000001: the resolver takes these for addresses
    if re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)", host.rpartition(".")[2]):
        raise Refused(
            gettext_noop("Expected a host name, or an address such as 203.0.113.7, was %(value)s."),
            value=shown(raw),
        )
    return host


def _check_name(place: Place) -> None:
    """Names that lead inside by what they are. Raises Refused."""
    try:
        address = ipaddress.ip_address(place.host)
    except ValueError:
        is_inner_name = "." not in place.host or place.host.rpartition(".")[2] in INNER_NAMES
    else:
        is_inner_name = is_inner(address)
    if is_inner_name:
        raise Refused(
            gettext_noop("%(host)s is an inner address: expected one of the internet."),
            host=place.host,
        )


def _only_https(url: str) -> Refused:
    return Refused(
        gettext_noop("Expected an address that begins with https://, was %(value)s."),
        value=shown(url),
    )


def _within(address: Address, network: Network) -> bool:
    """Also of an IPv4 address that an IPv6 one carries."""
    if address.version == network.version:
        return address in network
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped
        return carried is not None and carried in network
    return False
