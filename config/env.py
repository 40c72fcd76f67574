"""Typed readers of environment variables that refuse to start with a sentence that helps."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from lib.networks import UNIX, Network, parse_networks


def text(name: str, default: str | None = None) -> str:
    """The variable, or the content of the file that `<name>_FILE` names (a secret of the
    container)."""
    value = os.environ.get(name, "").strip() or _from_file(name) or default
    if value is None:
        raise ImproperlyConfigured(f"{name} is not set: set it in the environment (.env.example).")
    return value


def integer(name: str, default: int, low: int = 0, high: int = 2**31) -> int:
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    if not raw.lstrip("-").isdigit() or not low <= int(raw) <= high:
        raise ImproperlyConfigured(f"{name}: expected a number from {low} to {high}, was {raw!r}.")
    return int(raw)


def boolean(name: str, default: bool) -> bool:
    raw = os.environ.get(name, "").strip().lower()
    if not raw:
        return default
    if raw not in {"1", "0", "true", "false", "yes", "no", "on", "off"}:
        raise ImproperlyConfigured(f"{name}: expected true or false, was {raw!r}.")
    return raw in {"1", "true", "yes", "on"}


def choice(name: str, default: str, allowed: Sequence[str]) -> str:
    value = text(name, default).lower()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}: expected one of {', '.join(allowed)}, was {value!r}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Comma-separated words."""
    return [word.strip() for word in (os.environ.get(name) or default).split(",") if word.strip()]


def command(name: str) -> str:
    """Words of a command, quoted as a shell would want them; empty: none."""
    value = text(name, "")
    try:
        shlex.split(value)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name}: expected the words of a command, with each quote closed, was {value!r}."
        ) from error
    return value


def symbols(name: str, default: str) -> list[str]:
    """Comma-separated symbols in upper case, with `spot:` or `usdm:` in front or nothing; Binance's
    may hold any letters or digits."""
    pairs = []
    for word in words(name, default):
        market, _, symbol = word.rpartition(":")
        if market not in {"", "spot", "usdm"} or not symbol.replace("_", "").isalnum():
            raise ImproperlyConfigured(
                f"{name}: expected symbols such as BTCUSDT,usdm:ETHUSDT, was {word!r}."
            )
        pairs.append(f"{market}:{symbol.upper()}" if market else symbol.upper())
    return list(dict.fromkeys(pairs))


def networks(name: str) -> tuple[Network, ...]:
    """Comma-separated CIDR networks."""
    return _parsed_networks(name, words(name))


def proxies(name: str) -> tuple[tuple[Network, ...], bool]:
    """Networks, and whether the word `unix` stands among them."""
    names = words(name)
    return _parsed_networks(name, [word for word in names if word != UNIX]), UNIX in names


def _parsed_networks(name: str, names: Sequence[str]) -> tuple[Network, ...]:
    try:
        return parse_networks(names)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from error


def address_or_none(name: str, default: str, schemes: tuple[str, str]) -> str:
    """The same, or nothing: there is no such place."""
    return address(name, default, schemes) if text(name, default) else ""


def address(name: str, default: str, schemes: tuple[str, str]) -> str:
    """`scheme://host:port` without a path."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in schemes or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(
            f"{name}: expected {schemes[0]}://host:port without a path, was {value!r}."
        )
    return value


def database(name: str, default: str) -> dict[str, object]:
    """`postgresql://user:password@host:port/name`, or `?host=/folder` for a Unix socket."""
    value = text(name, default)
    parts = urlsplit(value)
    if parts.scheme not in {"postgres", "postgresql"} or len(parts.path) < 2:
        raise ImproperlyConfigured(
            f"{name}: expected postgresql://user:password@host:port/name, was {_masked(value)!r}."
        )
    query = parse_qs(parts.query)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", [parts.hostname or ""])[0],
        "PORT": str(parts.port or query.get("port", [""])[0]),
    }


def redis_url(name: str, default: str) -> str:
    """`redis://:password@host:port/0` or `unix://:password@/path?db=0`."""
    value = text(name, default)
    if urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ImproperlyConfigured(
            f"{name}: expected redis://host:port/0 or unix:///path?db=0, was {_masked(value)!r}."
        )
    return value


def celery_broker(url: str) -> str:
    """The same Redis in kombu's spelling, which has its own scheme for Unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    password = f":{parts.password}@" if parts.password else ""
    db = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{password}{parts.path}?virtual_host={db}"


def folder(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().resolve()


def _from_file(name: str) -> str:
    path = os.environ.get(f"{name}_FILE", "").strip()
    if not path:
        return ""
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(
            f"{name}_FILE: expected a readable file, was {path!r}."
        ) from error


def _masked(url: str) -> str:
    parts = urlsplit(url)
    return url.replace(parts.password, "***") if parts.password else url
