"""Envelope encryption with AES-256-GCM; pure bytes, no Django.

A fresh data key a value and write encrypts the value; a key-encryption key wraps the data key. Both
layers are bound to where the value belongs, so that no ciphertext opens in another's place.

  version 1 | key id 4 | nonce 12 | wrapped data key 32 + 16 | nonce 12 | ciphertext | tag 16
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lib.secret import Secret

VERSION = 1
KEY_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16
HEAD_BYTES = 5
WRAPPED_BYTES = KEY_BYTES + TAG_BYTES
LEAST_BYTES = HEAD_BYTES + NONCE_BYTES + WRAPPED_BYTES + NONCE_BYTES + TAG_BYTES


class NotOurs(Exception):
    """A sealed value that was changed, moved, or is of another key or version."""


@dataclass(frozen=True)
class Binding:
    """Where a sealed value belongs: table, row, owner and field."""

    table: str
    row: str
    owner: int
    field: str


def seal(plain: Secret, binding: Binding, key_id: int, key: bytes) -> bytes:
    data_key = secrets.token_bytes(KEY_BYTES)
    wrap_nonce, nonce = secrets.token_bytes(NONCE_BYTES), secrets.token_bytes(NONCE_BYTES)
    wrapped = AESGCM(key).encrypt(wrap_nonce, data_key, _bound("dek", key_id, binding))
    text = AESGCM(data_key).encrypt(nonce, plain.reveal(), _bound("val", key_id, binding))
    return bytes([VERSION]) + key_id.to_bytes(4, "big") + wrap_nonce + wrapped + nonce + text


def unseal(sealed: bytes, binding: Binding, find_key: Callable[[int], bytes]) -> Secret:
    """`find_key` gives the key of an id. Raises NotOurs, and what `find_key` raises."""
    key_id = key_id_of(sealed)
    key = find_key(key_id)
    at = HEAD_BYTES
    wrap_nonce, at = sealed[at : at + NONCE_BYTES], at + NONCE_BYTES
    wrapped, at = sealed[at : at + WRAPPED_BYTES], at + WRAPPED_BYTES
    nonce, at = sealed[at : at + NONCE_BYTES], at + NONCE_BYTES
    try:
        data_key = AESGCM(key).decrypt(wrap_nonce, wrapped, _bound("dek", key_id, binding))
        return Secret(AESGCM(data_key).decrypt(nonce, sealed[at:], _bound("val", key_id, binding)))
    except InvalidTag:
        raise NotOurs("this value was changed, moved, or sealed with another key") from None


def key_id_of(sealed: bytes) -> int:
    """Raises NotOurs for what cannot be a sealed value."""
    if len(sealed) < LEAST_BYTES:
        raise NotOurs(f"expected at least {LEAST_BYTES} bytes, was {len(sealed)}")
    if sealed[0] != VERSION:
        raise NotOurs(f"expected version {VERSION}, was {sealed[0]}")
    return int.from_bytes(sealed[1:HEAD_BYTES], "big")


def _bound(layer: str, key_id: int, binding: Binding) -> bytes:
    bound = {"v": VERSION, "kek_id": key_id, **asdict(binding)}
    return f"tapelog:{layer}:".encode() + json.dumps(bound, sort_keys=True).encode()
