"""API keys: how they are made, and whether a signature is theirs.

Source: binance-spot-api-docs rest-api.md "SIGNED endpoint security", api_key_types.md.
"""

import base64
import hashlib
import hmac
import secrets
import string

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from simulator.accounts.records import Key

LETTERS = string.ascii_letters + string.digits
READ_ONLY = {
    "ipRestrict": False,
    "enableReading": True,
    "enableWithdrawals": False,
    "enableInternalTransfer": False,
    "enableMargin": False,
    "enableFutures": True,
    "permitsUniversalTransfer": False,
    "enableVanillaOptions": False,
    "enableFixApiTrade": False,
    "enableFixReadOnly": False,
    "enableSpotAndMarginTrading": False,
    "enablePortfolioMarginTrading": False,
}


def make_key(
    kind: str, permissions: dict[str, bool], now_ms: int, rng: secrets.SystemRandom | None = None
) -> tuple[Key, str]:
    """(the key as the exchange keeps it, the secret or private key in PEM as its owner keeps it).

    Raises ValueError for an unknown kind or permission.
    """
    unknown = set(permissions) - set(READ_ONLY)
    if unknown:
        raise ValueError(f"expected permissions of {', '.join(READ_ONLY)}, was {unknown}")
    chooser = rng or secrets.SystemRandom()
    api_key = "".join(chooser.choices(LETTERS, k=64))
    if kind == "hmac":
        kept = given = "".join(chooser.choices(LETTERS, k=64))
    elif kind in {"ed25519", "rsa"}:
        private = (
            ed25519.Ed25519PrivateKey.generate()
            if kind == "ed25519"
            else rsa.generate_private_key(65537, 2048)
        )
        given = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
        kept = (
            private.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )
    else:
        raise ValueError(f"expected kind hmac, rsa or ed25519, was {kind!r}")
    return Key(api_key, kind, kept, {**READ_ONLY, **permissions}, created=now_ms), given


def is_signed(key: Key, payload: bytes, signature: str) -> bool:
    """HMAC in hex of any case; RSA and Ed25519 in base64."""
    if key.kind == "hmac":
        expected = hmac.new(key.secret.encode(), payload, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.lower().encode())
    public = serialization.load_pem_public_key(key.secret.encode())
    try:
        raw = base64.b64decode(signature, validate=True)
        if isinstance(public, ed25519.Ed25519PublicKey):
            public.verify(raw, payload)
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(raw, payload, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True
