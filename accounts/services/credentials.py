"""The only place where a sealed key is opened; each time leaves an audit row."""

from typing import cast

from accounts.models import ExchangeAccount, TradingKey, User
from accounts.services import auditing
from accounts.vault import keyfiles, keyring
from lib import envelope
from lib.secret import Secret
from market.binance.signing import Credentials, KeyKind

# An account with the key that reads it, or the key of its own that its orders go with.
KeyRow = ExchangeAccount | TradingKey


def load(row: KeyRow, *, why: str, actor: User | None = None) -> Credentials:
    """Raises keyfiles.KeyProblem, envelope.NotOurs."""
    account = row.account if isinstance(row, TradingKey) else row
    auditing.record_use(owner=account.user, actor=actor, subject=str(account.pk), why=why)
    opened = {
        field: keyring.unseal(sealed, row.binding(field)) for field, sealed in row.sealed().items()
    }
    return Credentials(cast(KeyKind, row.key_kind), opened["api_key"], opened["api_secret"])


def store(row: KeyRow, credentials: Credentials) -> None:
    """Put a sealed key into an unsaved or changed row; its owner is fixed from here on.

    Raises keyfiles.KeyProblem.
    """
    row.key_kind = credentials.kind
    row.api_key = keyring.seal(credentials.api_key, row.binding("api_key"))
    row.api_secret = keyring.seal(credentials.secret, row.binding("api_secret"))
    row.kek_id = envelope.key_id_of(row.api_key)
    row.api_key_hash = keyfiles.fingerprint(credentials.api_key)
    row.last_four = credentials.api_key.reveal()[-4:].decode()


def wipe(account: ExchangeAccount) -> None:
    """Forget the key of a row that stays, because its owner shall read why."""
    account.api_key = account.api_secret = b""
    account.api_key_hash = f"wiped {account.pk}"


def has_key(row: KeyRow) -> bool:
    return bool(row.api_key)


def for_orders(account: ExchangeAccount) -> KeyRow:
    """The key that its orders go with, as it is now: one of its own, or else the one that reads."""
    return TradingKey.objects.select_related("account").filter(account=account).first() or account


def as_credentials(api_key: Secret, secret: Secret) -> Credentials:
    """What was pasted, told apart. Raises ValueError with what was expected."""
    key = api_key.reveal().strip()
    if not (key.isalnum() and 16 <= len(key) <= 128):
        raise ValueError("expected an API key of letters and digits, as Binance shows it")
    return Credentials(_kind_of(secret), Secret(key), Secret(secret.reveal().strip()))


def _kind_of(secret: Secret) -> KeyKind:
    """A PEM tells itself; anything else is an HMAC secret."""
    text = secret.reveal().strip()
    if b"PRIVATE KEY" not in text:
        return "hmac"
    if b"ENCRYPTED" in text:
        raise ValueError("expected a private key without a passphrase")
    return "ed25519" if len(text) < 200 else "rsa"
