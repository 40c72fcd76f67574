"""Channels are made, proven and removed. What is secret of them goes in sealed and never comes
out; a webhook's signing key is told once."""

import hashlib
import json
import secrets
import uuid
from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.vault import keyring
from alerts.conditions.fields import gettext_noop, shown
from alerts.delivery import guard, senders
from alerts.delivery.senders import Parcel
from alerts.delivery.wire import Undelivered
from alerts.models import Channel
from alerts.services.outbox import open_secrets, push_key_for
from alerts.services.refusals import BadInput, translated
from lib import envelope
from lib.dates import to_ms
from lib.secret import Secret

Kind = Channel.Kind
Status = Channel.Status
MOST_CHANNELS = 20
SECRET_BYTES = 32
CODE_FOR = timedelta(minutes=30)
CODE_TRIES = 5
# These prove themselves by taking a message; the others by a code that their reader types in.
PROVEN_BY_TAKING = {Kind.WEBHOOK, Kind.WEBPUSH, Kind.APPRISE}


class NotProven(Exception):
    """The channel did not take the message, or the code is wrong; the text is for its owner."""


def create(*, user: User, body: Mapping[str, Any]) -> tuple[Channel, str]:
    """(channel, its secret in base64, which is told this once). Raises BadInput, KeyProblem."""
    for field in body:
        if field not in {"kind", "name", "target"}:
            raise BadInput(
                str(field)[:40],
                _("Expected one of %(allowed)s.") % {"allowed": "kind, name, target"},
            )
    kind = body.get("kind")
    if kind not in Kind.values:
        raise BadInput(
            "kind", _("Expected one of %(allowed)s.") % {"allowed": ", ".join(Kind.values)}
        )
    name = body.get("name")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= 60 or not name.isprintable():
        raise BadInput("name", _("Expected a name of at most %(most)s characters.") % {"most": 60})
    target, shown = _target(user, kind, body.get("target"))
    return _save(user, kind, name.strip(), Secret(target), shown)


@transaction.atomic
def _save(user: User, kind: str, name: str, target: Secret, shown: str) -> tuple[Channel, str]:
    User.objects.select_for_update().get(pk=user.pk)  # two at once see each other
    mine = Channel.objects.filter(user=user)
    if mine.count() >= MOST_CHANNELS:
        raise BadInput("name", _("Expected at most %(most)s channels.") % {"most": MOST_CHANNELS})
    if mine.filter(name=name).exists():
        raise BadInput("name", _("Expected a name that none of your channels has yet."))
    channel = Channel(id=uuid.uuid4(), user=user, kind=kind, name=name, shown=shown)
    secret = secrets.token_bytes(SECRET_BYTES)
    channel.target = keyring.seal(target, channel.binding("target"))
    channel.secret = keyring.seal(Secret(secret), channel.binding("secret"))
    channel.kek_id = envelope.key_id_of(channel.target)
    target.wipe()
    channel.save(force_insert=True)
    return channel, b64encode(secret).decode()


def remove(*, channel: Channel) -> None:
    channel.delete()


def prove(*, channel: Channel, code: str = "") -> Channel:
    """A webhook, a browser and apprise are proven by taking a message now; a reader by the code
    that the first call has sent. Raises NotProven, BadInput, KeyProblem, NotOurs."""
    if channel.kind in PROVEN_BY_TAKING:
        _send(channel, "")
        return _set_proven(channel)
    if not code:
        _send_code(channel)
        return channel
    return _check_code(channel, code)


def _send_code(channel: Channel) -> None:
    code = f"{secrets.randbelow(10**8):08d}"
    _send(channel, code)
    Channel.objects.filter(pk=channel.pk).update(
        code_digest=_digest(code), code_until=timezone.now() + CODE_FOR, code_tries=0
    )


def _check_code(channel: Channel, code: str) -> Channel:
    with transaction.atomic():
        fresh = Channel.objects.select_for_update().get(pk=channel.pk)
        is_open = (
            bool(fresh.code_digest)
            and fresh.code_until is not None
            and fresh.code_until > timezone.now()
            and fresh.code_tries < CODE_TRIES
        )
        fresh.code_tries += 1
        fresh.save(update_fields=["code_tries"])
        is_right = is_open and secrets.compare_digest(fresh.code_digest, _digest(code.strip()))
    if not is_open:
        raise NotProven(_("The code is too old, or was tried too often: ask for a new one."))
    if not is_right:
        raise NotProven(_("This is not the code that was sent."))
    return _set_proven(fresh)


def _set_proven(channel: Channel) -> Channel:
    channel.state, channel.problem = Status.PROVEN, ""
    channel.code_digest, channel.code_until = "", None
    channel.save(update_fields=["state", "problem", "code_digest", "code_until"])
    return channel


def _send(channel: Channel, code: str) -> None:
    text = _("Tapelog can reach you here.")
    if code:
        text = _("The code that proves this channel: %(code)s") % {"code": code}
    url = f"{settings.PUBLIC_URL}/alerts/channels/"
    event = {
        "id": str(uuid.uuid4()),
        "kind": "proof",
        "at": to_ms(timezone.now()),
        "value": None,
        "alert": None,
        "text": text,
        "url": url,
    }
    target, secret = open_secrets(channel)
    parcel = Parcel(
        kind=channel.kind,
        target=target,
        secret=secret,
        body={"event": event},
        text=text,
        url=url,
        push_key=push_key_for(channel),
    )
    try:
        senders.send(parcel)
    except (Undelivered, guard.Refused) as error:
        raise NotProven(_("It did not arrive: %(problem)s") % {"problem": str(error)}) from error


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


# --- targets ------------------------------------------------------------------------------------


def _target(user: User, kind: str, raw: Any) -> tuple[str, str]:
    """(as it is sealed, as it is shown). Raises BadInput."""
    if kind == Kind.WEBPUSH:
        return _subscription(raw)
    text = raw.strip() if isinstance(raw, str) else ""
    if not 0 < len(text) <= guard.LONGEST_URL or not text.isprintable():
        raise BadInput("target", _("Expected where to send to, as a text."))
    if kind == Kind.WEBHOOK:
        return text, _webhook(text)
    if kind == Kind.EMAIL:
        try:
            validate_email(text)
        except ValidationError as error:
            raise BadInput("target", _("Expected an e-mail address.")) from error
        name, _at, domain = text.rpartition("@")
        return text, f"{name[:2]}…@{domain}"[:120]
    if kind == Kind.TELEGRAM:
        return _telegram(text)
    return _apprise(user, text)


def _webhook(url: str) -> str:
    """What is shown of it. An address is checked now, to say so at once, and at every delivery."""
    allowed = settings.WEBHOOK_ALLOWED_NETWORKS
    try:
        place = guard.read(url, allowed)
        try:
            guard.addresses_of(place, allowed)
        except guard.Unresolved:
            if place.scheme == "http":  # only an excepted address may have it
                raise guard.Refused(
                    gettext_noop("Expected an address that begins with https://, was %(value)s."),
                    value=shown(url),
                ) from None
    except guard.Refused as error:
        raise translated("target", error) from error
    return f"{place.scheme}://{place.authority}"[:120]


def _telegram(text: str) -> tuple[str, str]:
    words = text.split()
    is_chat = words[-1].lstrip("-").isdigit() or words[-1].startswith("@")
    is_bot = len(words) == 2 and senders.BOT_TOKEN.fullmatch(words[0]) is not None
    is_ours = len(words) == 1 and bool(settings.TELEGRAM_BOT_TOKEN)
    if not is_chat or not (is_bot or is_ours):
        raise BadInput("target", _("Expected a bot's token, a space, and the number of a chat."))
    return text, f"…{words[-1][-4:]}"


def _subscription(raw: Any) -> tuple[str, str]:
    """A browser's PushSubscription as JSON, text or object."""
    try:
        made = json.loads(raw) if isinstance(raw, str) and len(raw) < 4000 else raw
        endpoint = str(made["endpoint"])
        own_keys = {name: str(made["keys"][name])[:200] for name in ("p256dh", "auth")}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadInput("target", _("Expected a browser's push subscription.")) from error
    return json.dumps({"endpoint": endpoint, "keys": own_keys}), _webhook(endpoint)


def _apprise(user: User, text: str) -> tuple[str, str]:
    allowed = settings.APPRISE_USERS
    if user.username not in allowed and "*" not in allowed:
        raise BadInput("kind", _("The operator of this installation has not allowed you apprise."))
    scheme = text.partition("://")[0]
    if "://" not in text or not scheme.isalnum():
        raise BadInput("target", _("Expected an address of apprise such as slack://…"))
    return text, f"{scheme}://…"[:120]
