"""Requests signed by RFC 9421: what a token that is bound to a key brings with every request.

Covered are `@method` and `@target-uri`, `content-digest` where there is a body, `idempotency-key`
where it is sent; parameters are `created` (60 s either way), `nonce` (once), `keyid` (the token's
first characters) and `alg`.
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    InvalidSignature,
    VerifyResult,
)
from http_message_signatures.algorithms import ED25519, HMAC_SHA256

from market.hot.client import hot_client

WINDOW = timedelta(seconds=60)
# Longer than twice the window: a nonce is remembered for as long as its request could come again.
NONCE_SECONDS = 180
NONCE_LENGTH = range(8, 129)
HMAC_BYTES = range(32, 129)
ALGORITHMS = {"hmac": HMAC_SHA256, "ed25519": ED25519}


class NotSigned(Exception):
    """The request's signature is missing or wrong; the sentence says what was expected."""


class CannotTell(Exception):
    """Whether the nonce was used cannot be known, so nothing is done."""


@dataclass(frozen=True)
class Message:
    """A request as its sender signed it: `url` is absolute, `body` as it came."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Signer:
    """Who must have signed: the token's row, its first characters, and its key (raw bytes)."""

    token_id: int
    keyid: str
    kind: str
    key: bytes


def verify(message: Message, signer: Signer) -> None:
    """Raises NotSigned, CannotTell. Only a request that verifies uses its nonce up."""
    if "signature-input" not in {name.lower() for name in message.headers}:
        raise NotSigned("This token is bound to a key: expected a request signed by RFC 9421.")
    verifier = _Verifier(signature_algorithm=ALGORITHMS[signer.kind], key_resolver=_OneKey(signer))
    try:
        results = verifier.verify(
            message,
            max_age=timedelta(0),
            require_components=_components(message),
            body=message.body,
        )
    except (InvalidSignature, HTTPMessageSignaturesException) as error:
        raise NotSigned(f"The signature is refused: {_reason(error)}.") from error
    for result in results:
        _use_nonce(result, signer)


def new_key() -> bytes:
    return secrets.token_bytes(32)


def parse_key(kind: str, text: str) -> bytes:
    """The raw key of base64 text: a secret for HMAC, the 32 bytes of a public key for Ed25519.

    Raises ValueError with what was expected.
    """
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        raise ValueError("expected a key in base64") from None
    if kind == "hmac" and len(key) not in HMAC_BYTES:
        raise ValueError(f"expected an HMAC key of 32 to 128 bytes, was {len(key)}")
    if kind == "ed25519" and len(key) != 32:
        raise ValueError(f"expected the 32 raw bytes of an Ed25519 public key, was {len(key)}")
    return key


class _Verifier(HTTPMessageVerifier):
    max_clock_skew = WINDOW


class _OneKey(HTTPSignatureKeyResolver):
    """A signature names the token that it came with, and no other."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def resolve_public_key(self, key_id: str) -> bytes | Ed25519PublicKey:
        if key_id != self._signer.keyid:
            raise InvalidSignature(
                f"expected keyid {self._signer.keyid!r}, the token's first characters"
            )
        if self._signer.kind == "ed25519":
            return Ed25519PublicKey.from_public_bytes(self._signer.key)
        return self._signer.key


def _components(message: Message) -> list[str]:
    names = ["@method", "@target-uri"]
    if message.body:
        names.append("content-digest")
    if any(name.lower() == "idempotency-key" for name in message.headers):
        names.append("idempotency-key")
    return names


def _use_nonce(result: VerifyResult, signer: Signer) -> None:
    nonce = result.parameters.get("nonce")
    if not isinstance(nonce, str) or len(nonce) not in NONCE_LENGTH:
        raise NotSigned("The signature is refused: expected a nonce of 8 to 128 characters.")
    if "alg" not in result.parameters:
        raise NotSigned("The signature is refused: expected the parameter alg.")
    digest = hashlib.sha256(nonce.encode()).hexdigest()
    try:
        is_new = hot_client().set(
            f"tl:nonce:{signer.token_id}:{digest}", 1, nx=True, ex=NONCE_SECONDS
        )
    except redis.RedisError as error:
        raise CannotTell("Signed requests cannot be checked now: try again.") from error
    if not is_new:
        raise NotSigned("The signature is refused: this nonce was used before.")


def _reason(error: Exception) -> str:
    """The library's own sentence; where the arithmetic said no, there is none."""
    inner = error.args[0] if error.args else None
    if isinstance(inner, str) and inner:
        return inner.rstrip(".")
    if isinstance(inner, InvalidSignature):
        return _reason(inner)
    return "it does not match the request"
