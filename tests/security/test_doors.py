"""Before any view: who the client is, who may come at all, and how much it may bring."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from config.doors.bodies import BodyGuard
from config.doors.proxies import seen_through
from lib.networks import client_of, network_of, parse_networks
from tests.security.asgi import ask

NETS = parse_networks(["10.0.0.0/8", "2001:db8::/32"])


# --- the client's address -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.1", "198.51.100.7", "203.0.113.1"),  # no proxy of ours: not believed
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),  # what the client wrote itself
        ("10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),  # two proxies of ours
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
        ("::ffff:10.0.0.1", "[2001:db9::5]:443", "2001:db9::5"),
        ("", "198.51.100.7", ""),  # a Unix socket, not trusted
    ],
)
def test_the_client_is_who_the_nearest_believed_proxy_says(
    peer: str, forwarded: str, client: str
) -> None:
    assert client_of(peer, forwarded, NETS, unix=False) == client


def test_a_proxy_on_a_unix_socket_is_believed_where_it_is_named() -> None:
    assert client_of("", "198.51.100.7", (), unix=True) == "198.51.100.7"


def test_a_neighbourhood_is_told_and_not_the_address() -> None:
    assert network_of("192.0.2.77") == "192.0.2.0/24"
    assert network_of("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert network_of("") == ""


@pytest.mark.parametrize(
    ("peer", "said", "scheme"),
    [
        ("10.0.0.1", [b"https"], "https"),
        ("203.0.113.1", [b"https"], "http"),
        ("10.0.0.1", [b"https", b"http"], "http"),
        ("10.0.0.1", [b"gopher"], "http"),
    ],
)
def test_the_scheme_is_believed_through_them_too(
    settings: Any, peer: str, said: list[bytes], scheme: str
) -> None:
    settings.TRUSTED_PROXIES = NETS
    headers = [(b"x-forwarded-proto", value) for value in said]
    scope = {"type": "http", "headers": headers, "client": (peer, 1), "scheme": "http"}
    assert seen_through(scope)["scheme"] == scheme


def test_a_socket_behind_tls_is_a_secure_one(settings: Any) -> None:
    settings.TRUSTED_PROXIES = NETS
    headers = [(b"x-forwarded-proto", b"https")]
    scope = {"type": "websocket", "headers": headers, "client": ("10.0.0.1", 1), "scheme": "ws"}
    assert seen_through(scope)["scheme"] == "wss"


# --- networks -------------------------------------------------------------------------------------


async def test_a_server_may_be_for_some_networks_only(settings: Any) -> None:
    settings.ALLOWED_NETWORKS = NETS
    refused = await ask("/accounts/login/", peer="203.0.113.1")
    assert refused.status == 403
    assert b"network_not_allowed" in refused.body
    assert (await ask("/healthz", peer="203.0.113.1")).status == 200


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/admin", "/staff/imports/"])
async def test_staff_pages_may_be_for_fewer(settings: Any, path: str) -> None:
    settings.ADMIN_NETWORKS = NETS
    assert (await ask(path, peer="203.0.113.1")).status == 403


async def test_a_written_header_opens_no_network(settings: Any) -> None:
    settings.ALLOWED_NETWORKS = NETS
    headers = [(b"x-forwarded-for", b"10.0.0.9")]
    assert (await ask("/accounts/login/", peer="203.0.113.1", headers=headers)).status == 403


# --- bodies ---------------------------------------------------------------------------------------


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 65_536


async def _silent() -> AsyncIterator[bytes]:
    yield b"x"
    await asyncio.Event().wait()


class Reads:
    """An application that reads all that comes, as Django does before any view."""

    def __init__(self) -> None:
        self.read = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            self.read += len(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def test_a_body_that_says_it_is_too_large_is_not_read(settings: Any) -> None:
    reader = Reads()
    answer = await ask(
        "/",
        method="POST",
        headers=[(b"content-length", b"100000000000")],
        body=_endless(),
        app=BodyGuard(reader),
    )
    assert (answer.status, reader.read) == (413, 0)
    assert b"Expected a request of at most 2,500,000 bytes." in answer.body


async def test_a_body_that_says_nothing_ends_at_the_limit(settings: Any) -> None:
    reader = Reads()
    answer = await ask("/", method="POST", body=_endless(), app=BodyGuard(reader))
    assert answer.status == 413
    assert reader.read <= settings.BODY_LIMIT_BYTES


async def test_a_body_that_never_comes_is_not_waited_for(settings: Any) -> None:
    settings.BODY_SECONDS = 0.2
    answer = await ask("/", method="POST", body=_silent(), app=BodyGuard(Reads()))
    assert answer.status == 408


async def test_files_may_be_larger(settings: Any) -> None:
    kind = [(b"content-type", b"multipart/form-data; boundary=x")]
    body = b"x" * (settings.BODY_LIMIT_BYTES + 1)
    small, large = [
        await ask("/", method="POST", headers=headers, body=body, app=BodyGuard(Reads()))
        for headers in ([], kind)
    ]
    assert (small.status, large.status) == (413, 200)


# --- metrics --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
async def test_metrics_are_for_this_machine_and_for_whom_the_operator_names(settings: Any) -> None:
    async def status(peer: str, *headers: tuple[bytes, bytes]) -> int:
        return (await ask("/metrics", peer=peer, headers=list(headers))).status

    assert await status("127.0.0.1") == 200
    assert await status("203.0.113.1") == 403
    for name in (b"x-forwarded-for", b"forwarded", b"via", b"x-real-ip"):
        assert await status("127.0.0.1", (name, b"127.0.0.1")) == 403, name
    settings.METRICS_NETWORKS = parse_networks(["203.0.113.0/24"])
    assert await status("203.0.113.1") == 200
    settings.METRICS_TOKEN = "a-token"
    assert await status("198.51.100.1", (b"authorization", b"Bearer a-token")) == 200
    assert await status("198.51.100.1", (b"authorization", b"Bearer another")) == 403
