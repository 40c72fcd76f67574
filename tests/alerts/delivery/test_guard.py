"""Nothing of ours goes inside: the list of addresses that somebody may try."""

from ipaddress import ip_address, ip_network

import pytest

from alerts.delivery import guard
from alerts.delivery.guard import Refused, Unresolved
from lib.networks import Network

NONE: tuple[Network, ...] = ()
LOOPBACK = (ip_network("127.0.0.0/8"),)
INNER = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "100::1",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::808:808"]


@pytest.mark.parametrize("text", INNER)
def test_an_inner_address_is_refused_whoever_resolves_to_it(text: str) -> None:
    assert guard.is_inner(ip_address(text))
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(Refused, match="inner address"):
        guard.read(f"https://{host}/", NONE)
    place = guard.read("https://hook.example.org/", NONE)
    with pytest.raises(Refused, match="inner address"):
        guard.addresses_of(place, NONE, lambda host, port: [text])


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_passes(text: str) -> None:
    place = guard.read("https://hook.example.org/", NONE)
    assert guard.addresses_of(place, NONE, lambda host, port: [text]) == [str(ip_address(text))]


def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    place = guard.read("https://hook.example.org/", NONE)
    with pytest.raises(Refused):
        guard.addresses_of(place, NONE, lambda host, port: ["8.8.8.8", "127.0.0.1"])


def test_a_name_that_turns_inside_is_refused_at_the_next_delivery() -> None:
    answers = iter([["8.8.8.8"], ["169.254.169.254"]])
    place = guard.read("https://rebinding.example.org/", NONE)
    assert guard.addresses_of(place, NONE, lambda host, port: next(answers)) == ["8.8.8.8"]
    with pytest.raises(Refused):
        guard.addresses_of(place, NONE, lambda host, port: next(answers))


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/",
        "https://localhost./",
        "https://LOCALHOST/",
        "https://a.localhost/",
        "https://redis/",
        "https://db.internal/",
        "https://printer.local/",
        "https://router.lan/",
        "https://1.0.0.127.in-addr.arpa/",
    ],
)
def test_an_inner_name_is_refused_without_asking_for_it(url: str) -> None:
    with pytest.raises(Refused, match="inner address"):
        guard.read(url, NONE)


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/",
        "https://017700000001/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://0/",
        "https://0177.0.0.1/",
        "https://127.0.0.1.2/",
        "https://999.1.1.1/",
    ],
)
def test_numbers_that_a_resolver_takes_for_an_address_are_no_host(url: str) -> None:
    with pytest.raises(Refused, match="Expected a host name"):
        guard.read(url, NONE)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "Expected an address"),
        ("hook.example.org", "begins with https://"),
        ("http://hook.example.org/", "begins with https://"),
        ("ftp://hook.example.org/", "begins with https://"),
        ("file:///etc/passwd", "begins with https://"),
        ("gopher://hook.example.org/", "begins with https://"),
        ("https://", "begins with https://"),
        ("https://user@hook.example.org/", "without a user name"),
        ("https://user:word@hook.example.org/", "without a user name"),
        ("https://hook.example.org@127.0.0.1/", "without a user name"),
        ("https://hook.example.org/#@127.0.0.1/", "without a #"),
        ("https://hook.example.org:0/", "a port"),
        ("https://hook.example.org:99999/", "Expected an address"),
        ("https://hook.example.org\\@127.0.0.1/", "Expected an address"),
        ("https://hook.example.org/\r\nHost: x", "Expected an address"),
        ("https://hook example.org/", "Expected an address"),
        ("https://hööк.example.org/", "Expected an address"),
        ("https://ho%6fk.example.org/", "Expected a host name"),
        ("https://[::1/", "Expected an address"),
        ("https://hook..example.org/", "Expected a host name"),
        ("https://" + "a" * 3000 + ".org/", "Expected an address"),
    ],
)
def test_a_crooked_address_is_refused_with_a_sentence(url: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        guard.read(url, NONE)


def test_what_the_operator_has_excepted_passes_http_included() -> None:
    place = guard.read("http://localhost:9000/a?b=c", LOOPBACK)
    assert place == guard.Place("http", "localhost", 9000, "/a?b=c")
    assert place.authority == "localhost:9000"
    assert guard.addresses_of(place, LOOPBACK, lambda host, port: ["127.0.0.1"]) == ["127.0.0.1"]


def test_an_exception_is_for_its_networks_only() -> None:
    place = guard.read("http://localhost/", LOOPBACK)
    with pytest.raises(Refused, match="inner address"):
        guard.addresses_of(place, LOOPBACK, lambda host, port: ["10.0.0.1"])
    with pytest.raises(Refused, match="inner address"):
        guard.addresses_of(place, LOOPBACK, lambda host, port: ["127.0.0.1", "::1"])
    public = guard.read("http://hook.example.org/", LOOPBACK)
    with pytest.raises(Refused, match="begins with https"):
        guard.addresses_of(public, LOOPBACK, lambda host, port: ["8.8.8.8"])


def test_a_name_without_an_address_may_have_one_later() -> None:
    place = guard.read("https://nothing.invalid/", NONE)
    with pytest.raises(Unresolved):
        guard.addresses_of(place, NONE, lambda host, port: [])
    with pytest.raises(Unresolved):
        guard.addresses_of(place, NONE)
