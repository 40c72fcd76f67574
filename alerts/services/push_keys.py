"""The key by which browsers' push services know this installation, made when it is first needed."""

from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from accounts.vault import keyring
from alerts.models import PushKey
from lib import envelope
from lib.secret import Secret


def public_key() -> str:
    """What a page subscribes with. Raises KeyProblem."""
    return str(_key().public)


def private_key() -> Secret:
    """In PEM. Raises KeyProblem, NotOurs."""
    key = _key()
    return keyring.unseal(key.sealed()["private"], key.binding("private"))


def _key() -> PushKey:
    push_key: PushKey | None = PushKey.objects.filter(pk=1).first()
    return push_key or _make()


def _make() -> PushKey:
    made = ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    point = made.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    sealed = keyring.seal(Secret(pem), PushKey(pk=1).binding("private"))
    # of two that make one at once, the first one's is everybody's
    row, _ = PushKey.objects.get_or_create(
        pk=1,
        defaults={
            "public": urlsafe_b64encode(point).rstrip(b"=").decode(),
            "private": sealed,
            "kek_id": envelope.key_id_of(sealed),
        },
    )
    return row
