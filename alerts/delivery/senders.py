"""What is sent, in each kind of channel's own way. Everything here may take seconds and touches no
database row; who calls has read what is needed and writes down what came of it."""

import ipaddress
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from py_vapid import Vapid02
from pywebpush import WebPusher, WebPushException

from alerts.delivery import guard, signature, wire
from alerts.delivery.wire import Undelivered
from lib.lazy import Lazy
from lib.networks import Network
from lib.secret import Secret

apprise: Any = Lazy("apprise")

BOT_TOKEN = re.compile(r"[0-9]{5,15}:[A-Za-z0-9_-]{20,80}")
PUSH_KEPT_SECONDS = 86_400


@dataclass(frozen=True)
class Parcel:
    """One message to one channel. `body` is what a webhook gets, `text` what a person reads."""

    kind: str
    target: Secret
    secret: Secret
    body: Mapping[str, Any]
    text: str
    url: str
    attempt: int = 1
    push_key: Secret = field(default_factory=lambda: Secret(b""))


def send(parcel: Parcel) -> None:
    """Raises Undelivered, guard.Refused."""
    try:
        SENDERS[parcel.kind](parcel)
    except guard.Unresolved as error:
        raise Undelivered(str(error)[:200]) from error


def send_webhook(parcel: Parcel) -> None:
    url = parcel.target.reveal().decode()
    body = json.dumps(parcel.body, separators=(",", ":"), ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        signature.HEADER: signature.signed(body, parcel.secret.reveal(), int(time.time())),
        "X-Tapelog-Attempt": str(parcel.attempt),
    }
    _post(url, body, headers)


def send_email(parcel: Parcel) -> None:
    subject = " ".join(f"Tapelog: {parcel.text}".split())[:150]
    mail = EmailMessage(subject, f"{parcel.text}\n\n{parcel.url}\n", None, [_text(parcel.target)])
    try:
        mail.send()
    except OSError as error:  # smtplib's exceptions are OSErrors too
        raise Undelivered(f"not mailed: {type(error).__name__}") from error


def send_telegram(parcel: Parcel) -> None:
    """By the owner's own bot: `<bot token> <chat>`; by the operator's: `<chat>`."""
    words = _text(parcel.target).split()
    token = words[0] if len(words) == 2 else settings.TELEGRAM_BOT_TOKEN
    if not BOT_TOKEN.fullmatch(token):
        raise Undelivered("this installation has no Telegram bot of its own")
    body = json.dumps({"chat_id": words[-1], "text": f"{parcel.text}\n{parcel.url}"}).encode()
    place = guard.read(f"{settings.TELEGRAM_API_URL}/", OPERATORS)
    place = guard.Place(place.scheme, place.host, place.port, f"/bot{token}/sendMessage")
    # the operator's own setting: it may lead anywhere
    addresses = guard.look_up(place.host, place.port)
    _need_taken(wire.post(place, addresses, body, {"Content-Type": "application/json"}))


def send_push(parcel: Parcel) -> None:
    """To a browser's push service, encrypted for that browser (RFC 8291), known by our key (RFC
    8292). The service's address comes from the browser, so that it is checked like any other."""
    subscription = json.loads(parcel.target.reveal())
    data = json.dumps({"text": parcel.text, "url": parcel.url}).encode()
    try:
        encoded = WebPusher(subscription).encode(data)
        place = guard.read(subscription["endpoint"], settings.WEBHOOK_ALLOWED_NETWORKS)
        claims = {
            "sub": f"mailto:{settings.DEFAULT_FROM_EMAIL}",
            "aud": f"{place.scheme}://{place.authority}",
            "exp": int(time.time()) + PUSH_KEPT_SECONDS // 2,
        }
        known_by = Vapid02.from_pem(parcel.push_key.reveal()).sign(claims)
    except (WebPushException, ValueError, KeyError, TypeError) as error:
        if isinstance(error, guard.Refused):
            raise
        raise Undelivered(f"not encrypted: {type(error).__name__}") from error
    headers = {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(PUSH_KEPT_SECONDS),
        **known_by,
    }
    _post(subscription["endpoint"], encoded["body"], headers)


def send_apprise(parcel: Parcel) -> None:
    """By whatever apprise knows; only for users that the operator named."""
    courier = apprise.Apprise()
    if not courier.add(_text(parcel.target)):
        raise Undelivered("apprise does not know this address")
    if not courier.notify(title="Tapelog", body=f"{parcel.text}\n{parcel.url}"):
        raise Undelivered("apprise could not deliver it")


SENDERS: dict[str, Callable[[Parcel], None]] = {
    "webhook": send_webhook,
    "email": send_email,
    "telegram": send_telegram,
    "webpush": send_push,
    "apprise": send_apprise,
}
# For addresses that the operator has set: anywhere.
OPERATORS: tuple[Network, ...] = (
    ipaddress.ip_network("0.0.0.0/0"),
    ipaddress.ip_network("::/0"),
)


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Resolved and checked anew, whatever was true when the channel was made."""
    allowed = settings.WEBHOOK_ALLOWED_NETWORKS
    place = guard.read(url, allowed)
    addresses = guard.addresses_of(place, allowed)
    _need_taken(wire.post(place, addresses, body, headers))


def _need_taken(outcome: wire.Outcome) -> None:
    if not outcome.is_taken:
        raise Undelivered(f"answered {outcome.status}")


def _text(secret: Secret) -> str:
    return secret.reveal().decode()
