"""Addresses and networks: who is called what, and whom a forwarding header is believed from."""

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# A peer on a Unix socket has no address; it is believed where this word stands among the networks.
UNIX = "unix"


def parse_networks(words: Iterable[str]) -> tuple[Network, ...]:
    """CIDR networks, or single addresses. Raises ValueError with what was expected."""
    networks = []
    for word in words:
        try:
            networks.append(ip_network(word.strip(), strict=False))
        except ValueError:
            raise ValueError(
                f"expected networks such as 192.0.2.0/24 or 2001:db8::/32, was {word[:60]!r}"
            ) from None
    return tuple(networks)


def parse_address(text: str) -> Address | None:
    """An IPv4 address that came as IPv6 (`::ffff:192.0.2.1`) is IPv4; None for anything else."""
    try:
        address = ip_address(text.strip().removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


LOOPBACK = parse_networks(["127.0.0.0/8", "::1"])


def is_within(text: str, networks: Sequence[Network]) -> bool:
    address = parse_address(text)
    return address is not None and any(address in network for network in networks)


def client_of(peer: str, forwarded_for: str, trusted: Sequence[Network], *, unix: bool) -> str:
    """The client's address: the first one from the right of `X-Forwarded-For` that is no trusted
    proxy's, where the peer is one; else the peer. `unix`: whether a peer without an address (empty)
    is trusted. What cannot be read as an address ends the walk: what stands left of it was written
    by anybody."""
    if not (is_within(peer, trusted) if peer else unix):
        return peer
    client = peer
    for word in reversed([word for word in forwarded_for.split(",") if word.strip()]):
        address = parse_address(_without_port(word))
        if address is None:
            break
        client = str(address)
        if not is_within(client, trusted):
            break
    return client


def network_of(text: str) -> str:
    """The neighbourhood of an address, as a mail about a new sign-in and a list of uses tell it."""
    address = parse_address(text)
    if address is None:
        return ""
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))


def _without_port(word: str) -> str:
    """`192.0.2.1:443` and `[2001:db8::1]:443` as some proxies write them."""
    word = word.strip()
    if word.startswith("["):
        return word[1:].partition("]")[0]
    return word.partition(":")[0] if word.count(":") == 1 else word
