"""A client that signs its requests as RFC 9421 says, by the library that others use too."""

import base64
import json as texts
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import ED25519, HMAC_SHA256

HOST = "http://testserver"


@dataclass
class Request:
    method: str
    url: str
    headers: dict[str, str]


@dataclass
class SigningClient:
    """`token` and the key that its owner keeps: bytes for HMAC, a private key for Ed25519."""

    token: str
    key: bytes | Ed25519PrivateKey
    client: Client = field(default_factory=Client)

    def headers(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        nonce: str | None = None,
        created: datetime | None = None,
        cover: tuple[str, ...] = ("@method", "@target-uri"),
        keyid: str | None = None,
        host: str = HOST,
        **more: str,
    ) -> dict[str, str]:
        request = Request(method, host + path, {"Authorization": f"Token {self.token}", **more})
        kind = HMAC_SHA256 if isinstance(self.key, bytes) else ED25519
        signer = HTTPMessageSigner(signature_algorithm=kind, key_resolver=_Key(self.key))
        signer.sign(
            request,
            key_id=self.token[:8] if keyid is None else keyid,
            nonce=uuid4().hex if nonce is None else nonce,
            created=created or datetime.now(UTC),
            covered_component_ids=cover,
            body=body or None,
        )
        return request.headers

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, headers=self.headers("GET", path, **more))

    def send(self, method: str, path: str, json: Any, **more: Any) -> Any:
        body = texts.dumps(json).encode()
        return self.client.generic(
            method,
            path,
            body,
            content_type="application/json",
            headers=self.headers(method, path, body, **more),
        )


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def key_of(text: str) -> bytes:
    return base64.b64decode(text)


class _Key(HTTPSignatureKeyResolver):
    def __init__(self, key: bytes | Ed25519PrivateKey) -> None:
        self.key = key

    def resolve_private_key(self, key_id: str) -> bytes | Ed25519PrivateKey:
        return self.key
