"""Key-encryption keys as files: 32 random bytes each, readable by their owner only, in KEK_DIR,
outside the database and its backups."""

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from django.conf import settings

from lib.secret import Secret

KEY_BYTES = 32
PEPPER = "pepper"
CHECK_LABEL = b"tapelog key check value 1"


class KeyProblem(Exception):
    """A key cannot be used; the sentence says what to do."""


def folder() -> Path:
    path: Path = settings.KEK_DIR
    return path


def ids() -> list[int]:
    """The keys that lie in KEK_DIR."""
    if not folder().is_dir():
        return []
    return sorted(
        int(path.name) for path in folder().iterdir() if path.name.isascii() and path.name.isdigit()
    )


def read(key_id: int) -> bytes:
    """Raises KeyProblem."""
    return _read(str(key_id))


def make(key_id: int) -> None:
    """A new key file. Raises KeyProblem."""
    _write(str(key_id), secrets.token_bytes(KEY_BYTES))


def destroy(key_id: int) -> None:
    """Overwrite the file and remove it; what was sealed with it can never be opened again."""
    path = folder() / str(key_id)
    if path.exists():
        path.chmod(0o600)
        path.write_bytes(secrets.token_bytes(KEY_BYTES))
        _to_disk(path)
        path.unlink()


def check_value(key: bytes) -> bytes:
    """Tells the right key from a wrong one without telling anything of it."""
    return hmac.digest(key, CHECK_LABEL, "sha256")


def fingerprint(secret: Secret) -> str:
    """Keyed hash of an API key: equal for equal keys, and useless without KEK_DIR's `pepper`.

    Raises KeyProblem; a pepper is never made anew where one was, or equal keys would differ.
    """
    return hmac.new(_read(PEPPER), secret.reveal(), hashlib.sha256).hexdigest()


def make_pepper() -> None:
    """Once, with the first key. Raises KeyProblem."""
    if not (folder() / PEPPER).exists():
        _write(PEPPER, secrets.token_bytes(KEY_BYTES))


def _read(name: str) -> bytes:
    path = folder() / name
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        key = path.read_bytes()
    except OSError as error:
        raise KeyProblem(f"key file {path} cannot be read: {error.strerror}") from error
    if mode & 0o377:
        raise KeyProblem(f"key file {path}: expected mode 0400, was {mode:04o}; chmod 0400 it")
    if len(key) != KEY_BYTES:
        raise KeyProblem(f"key file {path}: expected {KEY_BYTES} bytes, was {len(key)}")
    return key


def _write(name: str, key: bytes) -> None:
    """Whole or not at all, and never over another."""
    try:
        folder().mkdir(parents=True, exist_ok=True, mode=0o700)
        part = folder() / f".{name}.{os.getpid()}"
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_bytes(key)
        part.chmod(0o400)
        _to_disk(part)
        os.link(part, folder() / name)
        part.unlink()
        _to_disk(folder())
    except FileExistsError:
        part.unlink()
    except OSError as error:
        raise KeyProblem(
            f"key file {folder() / name} cannot be written: {error.strerror}"
        ) from error


def _to_disk(path: Path) -> None:
    """A key that a power cut takes away takes all that was sealed with it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
