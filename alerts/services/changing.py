"""Alerts are made, changed and removed: everything is checked before anything is written."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import ExchangeAccount, User
from alerts.conditions.fields import BadCondition
from alerts.conditions.kinds import KINDS, Scope, default_cooldown_s, parse
from alerts.models import Alert, Channel
from alerts.services.refusals import BadInput, translated
from journal.models import Setup
from lib.decimals import QUOTE_PLACES, text
from market.flow.bands import bands_for
from market.instruments import InstrumentKey
from market.models import Instrument, Listing
from market.services import following

FIELDS = ("name", "condition", "channels", "cooldown_s", "once", "paused")
LONGEST_NAME = 80
LONGEST_COOLDOWN_S = 30 * 86_400
MOST_CHANNELS = 10
# What a figure can be told in so far.
UNITS = {
    "pnl_day": ("money",),
    "pnl_open": ("money", "percent"),
    "liquidation_distance": ("percent", "money"),
}


@transaction.atomic
def create(*, user: User, body: Mapping[str, Any]) -> Alert:
    """Raises BadInput, then nothing has changed."""
    _check_names(body)
    User.objects.select_for_update().get(pk=user.pk)  # two at once see each other
    if Alert.objects.filter(user=user).count() >= settings.ALERTS_PER_USER:
        raise BadInput(
            "name", _("Expected at most %(most)s alerts.") % {"most": settings.ALERTS_PER_USER}
        )
    condition = checked_condition(user, body.get("condition"))
    alert = Alert(
        user=user,
        name=_name(body.get("name")),
        cooldown_s=checked_cooldown(body.get("cooldown_s"), condition["kind"]),
        once=_truth("once", body.get("once", False)),
        is_paused=_truth("paused", body.get("paused", False)),
        language=get_language() or "en",
    )
    _put_condition(alert, condition)
    channels = _channels(user, body.get("channels", []))
    alert.save()
    alert.channels.set(channels)
    follow(condition)
    return alert


@transaction.atomic
def change(*, alert: Alert, body: Mapping[str, Any]) -> Alert:
    """What is not given stays. Another condition, or work after a pause, begins now: what happened
    before is not told. Raises BadInput, then nothing has changed."""
    _check_names(body)
    alert = Alert.objects.select_for_update().get(pk=alert.pk)
    was_paused = alert.is_paused
    if "name" in body:
        alert.name = _name(body["name"])
    if "condition" in body:
        condition = checked_condition(alert.user, body["condition"])
        if condition != alert.condition:
            _put_condition(alert, condition)
            follow(condition)
    if "cooldown_s" in body:
        alert.cooldown_s = checked_cooldown(body["cooldown_s"], alert.kind)
    if "once" in body:
        alert.once = _truth("once", body["once"])
    if "paused" in body:
        alert.is_paused = _truth("paused", body["paused"])
        if was_paused and not alert.is_paused:
            _begin_anew(alert)
    if "channels" in body:
        alert.channels.set(_channels(alert.user, body["channels"]))
    alert.version += 1
    alert.save()
    return alert


def remove(*, alert: Alert) -> None:
    """Its events stay, with its name."""
    alert.delete()


@transaction.atomic
def copy(*, alert: Alert) -> Alert:
    """The same once more, paused, so that it can be changed first. Raises BadInput."""
    return create(
        user=alert.user,
        body={
            "name": (_("%(name)s (copy)") % {"name": alert.name})[:LONGEST_NAME],
            "condition": alert.condition,
            "channels": [str(channel.pk) for channel in alert.channels.all()],
            "cooldown_s": alert.cooldown_s,
            "once": alert.once,
            "paused": True,
        },
    )


def checked_condition(user: User, raw: Any) -> dict[str, Any]:
    """As it is kept; what it names is there and is the user's. Raises BadInput."""
    try:
        condition = parse(raw)
    except BadCondition as error:
        raise translated(f"condition.{error.field}", error) from error
    kind = KINDS[condition["kind"]]
    if kind.scope == Scope.SYSTEM and not user.is_staff:
        raise BadInput("condition.kind", _("Alerts of the system are for staff."))
    if kind.is_of_market:
        _check_market(condition)
    if kind.scope == Scope.FIGURES and condition["unit"] not in UNITS[kind.name]:
        raise BadInput(
            "condition.unit",
            _("Expected one of %(allowed)s, was %(value)s.")
            % {"allowed": ", ".join(UNITS[kind.name]), "value": condition["unit"]},
        )
    if "account" in condition:
        mine = ExchangeAccount.objects.visible_to(user)
        if not mine.filter(pk=condition["account"]).exists():
            raise BadInput(
                "condition.account",
                _("Expected the id of one of your accounts, was %(value)s.")
                % {"value": condition["account"]},
            )
    if "setup" in condition:
        setup = Setup.objects.visible_to(user).filter(pk=condition["setup"]).first()
        if setup is None or not setup.conditions.get("least_share"):
            raise BadInput(
                "condition.setup", _("Expected one of your setups that has a flow condition.")
            )
    return condition


def follow(condition: Mapping[str, Any]) -> None:
    """Its market's tape is kept as long as an alert looks at it (`wanted_markets`)."""
    if KINDS[condition["kind"]].is_of_market:
        key = InstrumentKey(settings.VENUE, condition["market"], condition["symbol"])
        instrument = following.known(key)
        if not instrument.is_followed and not following.count_room():
            raise BadInput(
                "condition.symbol",
                _("This installation follows %(limit)s markets at most, and all are taken.")
                % {"limit": settings.FOLLOW_LIMIT},
            )


def _check_market(condition: Mapping[str, Any]) -> None:
    place = {"venue": settings.VENUE, "market": condition["market"], "symbol": condition["symbol"]}
    listed = Listing.objects.filter(**place).exclude(status="DELISTED").first()
    instrument = Instrument.objects.filter(**place).first()
    is_kept = instrument is not None and instrument.is_followed
    if listed is None and not is_kept:
        raise BadInput(
            "condition.symbol",
            _("Expected a symbol that the exchange lists, was %(symbol)s (%(market)s).")
            % {"symbol": condition["symbol"], "market": condition["market"]},
        )
    quote = instrument.quote_asset if instrument is not None else getattr(listed, "quote_asset", "")
    bands = bands_for(quote)
    if "band" in condition and condition["band"] not in bands.names:
        raise BadInput(
            "condition.band",
            _("Expected one of %(allowed)s, was %(value)s.")
            % {"allowed": ", ".join(bands.names), "value": condition["band"]},
        )
    least = text(bands.edges[2], QUOTE_PLACES)
    if condition["kind"] == "taker_order" and Decimal(condition["value"]) < Decimal(least):
        raise BadInput(
            "condition.value",
            _("Expected at least %(least)s: smaller orders are not kept one by one.")
            % {"least": least},
        )


def _put_condition(alert: Alert, condition: dict[str, Any]) -> None:
    alert.condition = condition
    alert.kind = condition["kind"]
    alert.market = condition.get("market", "")
    alert.symbol = condition.get("symbol", "")
    _begin_anew(alert)


def _begin_anew(alert: Alert) -> None:
    alert.state = {}
    alert.since = timezone.now()


def _check_names(body: Mapping[str, Any]) -> None:
    for name in body:
        if name not in FIELDS:
            raise BadInput(
                str(name)[:40], _("Expected one of %(allowed)s.") % {"allowed": ", ".join(FIELDS)}
            )


def _name(raw: Any) -> str:
    name = raw.strip() if isinstance(raw, str) else ""
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadInput(
            "name", _("Expected a name of at most %(most)s characters.") % {"most": LONGEST_NAME}
        )
    return name


def checked_cooldown(raw: Any, kind: str) -> int:
    if raw is None:
        return default_cooldown_s(kind)
    if not isinstance(raw, int) or isinstance(raw, bool) or not 0 <= raw <= LONGEST_COOLDOWN_S:
        raise BadInput(
            "cooldown_s",
            _("Expected whole seconds from 0 to %(most)s.") % {"most": LONGEST_COOLDOWN_S},
        )
    return raw


def _truth(field: str, raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise BadInput(field, _("Expected true or false."))
    return raw


def _channels(user: User, raw: Any) -> list[Channel]:
    is_list = isinstance(raw, Sequence) and not isinstance(raw, str) and len(raw) <= MOST_CHANNELS
    if not is_list:
        raise BadInput(
            "channels", _("Expected a list of at most %(most)s channels.") % {"most": MOST_CHANNELS}
        )
    channels: list[Channel] = []
    for item in raw:
        try:
            channel = Channel.objects.visible_to(user).filter(pk=UUID(item)).first()
        except (ValueError, TypeError, AttributeError):
            channel = None
        if channel is None:
            raise BadInput("channels", _("Expected the ids of your channels."))
        channels.append(channel)
    return channels
