"""One POST over a real socket: whatever the other end does, it ends in time."""

import time

import pytest

from alerts.delivery import wire
from alerts.delivery.guard import Place
from alerts.delivery.signature import signed
from alerts.delivery.wire import Undelivered, post
from tests.alerts.receiver import Receiver, dripping, receiving, saying, silent


def place_of(receiver: Receiver, scheme: str = "http") -> Place:
    return Place(scheme, "hook.example.org", receiver.port, "/a?b=c")


def test_it_goes_to_the_address_and_says_the_name() -> None:
    with receiving() as receiver:
        outcome = post(place_of(receiver), ["127.0.0.1"], b"hello", {"X-A": "1"})
        (request,) = receiver.requests
    assert outcome.is_taken
    assert request.line == "POST /a?b=c HTTP/1.1"
    assert request.headers["host"] == f"hook.example.org:{receiver.port}"
    assert (request.headers["x-a"], request.body) == ("1", b"hello")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_leads_nowhere(status: int) -> None:
    with receiving() as inner, receiving() as receiver:
        receiver.answer = saying(
            f"HTTP/1.1 {status} Moved\r\nLocation: {inner.url()}\r\n\r\n".encode()
        )
        outcome = post(place_of(receiver), ["127.0.0.1"], b"", {})
        assert (outcome.status, outcome.is_taken) == (status, False)
        assert inner.connections == 0


def test_a_huge_answer_is_not_read() -> None:
    with receiving() as receiver:
        receiver.answer = saying(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000)
        assert post(place_of(receiver), ["127.0.0.1"], b"", {}).is_taken
        receiver.answer = saying(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1_000_000)
        with pytest.raises(Undelivered, match="64 KB"):
            post(place_of(receiver), ["127.0.0.1"], b"", {})


def test_a_slow_answer_ends_with_the_deadline() -> None:
    with receiving() as receiver:
        receiver.answer = dripping(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000, 0.05)
        began = time.monotonic()
        with pytest.raises(Undelivered, match="no answer within 0.5 s"):
            post(place_of(receiver), ["127.0.0.1"], b"", {}, seconds=0.5)
        assert time.monotonic() - began < 3


def test_silence_ends_with_the_deadline() -> None:
    with receiving() as receiver:
        receiver.answer = silent
        with pytest.raises(Undelivered, match="no answer within 0.3 s"):
            post(place_of(receiver), ["127.0.0.1"], b"", {}, seconds=0.3)


@pytest.mark.parametrize("text", [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n"])
def test_what_is_no_http_is_not_taken(text: bytes) -> None:
    with receiving() as receiver:
        receiver.answer = saying(text)
        with pytest.raises(Undelivered, match="no HTTP"):
            post(place_of(receiver), ["127.0.0.1"], b"", {})


def test_an_interim_answer_is_not_the_answer() -> None:
    with receiving() as receiver:
        receiver.answer = saying(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 No\r\n\r\n")
        assert post(place_of(receiver), ["127.0.0.1"], b"", {}).status == 500


def test_nobody_there_is_told() -> None:
    with receiving() as receiver:
        port = receiver.port
    with pytest.raises(Undelivered, match="not reached"):
        post(Place("http", "hook.example.org", port, "/"), ["127.0.0.1"], b"", {})


def test_https_needs_a_certificate_of_that_name() -> None:
    with receiving() as receiver:
        receiver.answer = saying(b"not TLS at all")
        with pytest.raises(Undelivered):
            post(place_of(receiver, "https"), ["127.0.0.1"], b"", {}, seconds=1)
        assert receiver.requests == []


def test_headers_cannot_be_smuggled() -> None:
    with receiving() as receiver, pytest.raises(Undelivered):
        post(place_of(receiver), ["127.0.0.1"], b"", {"X": "a\r\nY: b"})
    assert receiver.connections == 0


def test_a_signature_is_over_time_and_body() -> None:
    # printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
    assert signed(b'{"a":1}', b"secret", 1_700_000_000) == (
        "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
    )


def test_the_limits_are_those_of_the_contract() -> None:
    assert (wire.WHOLE_SECONDS, wire.MOST_BYTES) == (5.0, 65_536)
