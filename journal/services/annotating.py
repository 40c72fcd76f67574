"""What a trader writes on a trade: note, plan, tags, review. R is measured by the first stop that
was planned, until its owner says another; what was said before is kept."""

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.models import User
from journal.books.notes import refs_of
from journal.models import Annotation, Setup, Tag, Trade
from journal.selectors.trades import one

PLANS = ("planned_entry", "planned_stop", "planned_target")
MOST_TAGS = 30
MOST_STOPS = 50
# No market's prices have more.
STOP_DIGITS = Context(prec=8)
EMOTIONS = (
    gettext_noop("calm"),
    gettext_noop("confident"),
    gettext_noop("impatient"),
    gettext_noop("fearful"),
    gettext_noop("greedy"),
    gettext_noop("angry"),
    gettext_noop("tired"),
)
KNOWN = {
    "note",
    "emotion",
    "rating",
    "setup",
    "rules_kept",
    "tags",
    "mistakes",
    "reviewed",
    "initial_stop",
    *PLANS,
}


class BadNote(ValueError):
    """What was expected, and in which field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@transaction.atomic
def annotate(*, user: User, trade: Trade, changes: Mapping[str, Any]) -> Annotation:
    """Change what is given, leave the rest. Raises BadNote, then nothing has changed."""
    for name in changes:
        if name not in KNOWN:
            raise BadNote(
                name, _("Expected one of %(known)s.") % {"known": ", ".join(sorted(KNOWN))}
            )
    note = own_note(user, trade)
    if "note" in changes:
        note.note = _text(changes, "note", 20_000)
    if "emotion" in changes:
        note.emotion = _text(changes, "emotion", 20)
        if note.emotion and note.emotion not in EMOTIONS:
            raise BadNote(
                "emotion", _("Expected one of %(known)s.") % {"known": ", ".join(EMOTIONS)}
            )
    if "rating" in changes:
        note.rating = _rating(changes["rating"])
    if "setup" in changes:
        note.setup = _setup(user, _text(changes, "setup", 60))
    if "rules_kept" in changes:
        note.rules_kept = _numbers(changes["rules_kept"])
    planned_before = note.planned_stop
    for name in PLANS:
        if name in changes:
            setattr(note, name, _price(name, changes[name]))
    first = note.initial_stop
    if "initial_stop" in changes:
        first = _price("initial_stop", changes["initial_stop"])
    if first is None and note.initial_stop is None and note.planned_stop != planned_before:
        first = note.planned_stop
    if first != note.initial_stop:
        _set_first_stop(note, first)
    if "reviewed" in changes:
        note.reviewed_at = timezone.now() if _flag(changes["reviewed"]) else None
    note.save()
    for field, kind in (("tags", Tag.Kind.TAG), ("mistakes", Tag.Kind.MISTAKE)):
        if field in changes:
            _set_tags(user, note, kind, changes[field], field)
    return note


@transaction.atomic
def annotate_all(*, user: User, trades: Sequence[Trade], changes: Mapping[str, Any]) -> None:
    """The same change of many. Raises BadNote, then none has changed."""
    for trade in trades:
        annotate(user=user, trade=trade, changes=changes)


@transaction.atomic
def stop_all(*, user: User, trades: Sequence[Trade], percent: Any) -> int:
    """The first stop of many: so many per cent from each one's entry, on its losing side. Raises
    BadNote, then none has changed. Returns how many have an entry to measure from."""
    try:
        part = Decimal(str(percent)) / 100
    except InvalidOperation as error:
        raise BadNote(
            "stop_percent", _("Expected per cent from the entry, such as 1.5.")
        ) from error
    if not part.is_finite() or not Decimal("0.0001") <= part < 1:
        raise BadNote("stop_percent", _("Expected 0.01 to less than 100 per cent from the entry."))
    measured = [trade for trade in trades if trade.entry_price and trade.quote_rate]
    for trade in measured:
        away = -part if trade.direction == "LONG" else part
        entry = trade.entry_price / trade.quote_rate
        stop = STOP_DIGITS.multiply(entry, 1 + away)
        annotate(user=user, trade=trade, changes={"initial_stop": f"{stop:f}"})
    return len(measured)


@transaction.atomic
def add_tag(*, user: User, trades: Sequence[Trade], name: str, kind: str = Tag.Kind.TAG) -> int:
    """The same tag on many. Raises BadNote."""
    tag = _tag(user, kind, name, "tags")
    for trade in trades:
        own_note(user, trade).tags.add(tag)
    return len(trades)


def own_note(user: User, trade: Trade) -> Annotation:
    """The trade's own note, made where there is none; in a transaction."""
    # one writer at a time: two first notes would be two
    Trade.objects.select_for_update(of=("self",)).filter(pk=trade.pk).first()
    note = one(user, trade).note
    if note._state.adding:
        note.fills = refs_of(trade)
        note.save()
        return note
    locked: Annotation = Annotation.objects.select_for_update().get(pk=note.pk)
    return locked


def _set_first_stop(note: Annotation, stop: Decimal | None) -> None:
    if note.initial_stop is not None or note.stop_history:
        was = None if note.initial_stop is None else f"{note.initial_stop.normalize():f}"
        entry = {"stop": was, "until": timezone.now().isoformat()}
        note.stop_history = [*note.stop_history, entry][-MOST_STOPS:]
    note.initial_stop = stop


def _set_tags(user: User, note: Annotation, kind: str, names: Any, field: str) -> None:
    if isinstance(names, str):
        names = names.split(",")
    if not isinstance(names, list) or len(names) > MOST_TAGS:
        raise BadNote(field, _("Expected a list of at most %(most)s names.") % {"most": MOST_TAGS})
    chosen = [_tag(user, kind, str(name), field) for name in names if str(name).strip()]
    others = note.tags.exclude(kind=kind)
    note.tags.set([*others, *chosen])


def _tag(user: User, kind: str, name: str, field: str) -> Tag:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 40 or "," in name or "\0" in name:
        raise BadNote(field, _("Expected names of 1 to 40 characters without a comma."))
    return Tag.objects.get_or_create(user=user, kind=kind, name=name)[0]


def _setup(user: User, name: str) -> Setup | None:
    if not name:
        return None
    setup: Setup | None = Setup.objects.filter(user=user, name=name).first()
    if setup is None:
        raise BadNote("setup", _("Expected the name of one of your setups."))
    return setup


def _text(changes: Mapping[str, Any], name: str, most: int) -> str:
    value = changes[name]
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise BadNote(name, _("Expected text of at most %(most)s characters.") % {"most": most})
    return value.strip()


def _rating(value: Any) -> int | None:
    if value in (None, "", 0, "0"):
        return None
    if str(value) not in {"1", "2", "3", "4", "5"}:
        raise BadNote("rating", _("Expected a number from 1 to 5, or nothing."))
    return int(value)


def _price(name: str, value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        price = Decimal(str(value).replace(",", ""))
    except InvalidOperation as error:
        raise BadNote(name, _("Expected a price.")) from error
    if not price.is_finite() or not Decimal("1e-12") <= price < Decimal("1e18"):
        raise BadNote(name, _("Expected a price above 0."))
    return price.quantize(Decimal("1e-12"))


def _numbers(value: Any) -> list[int]:
    items = value if isinstance(value, list) else [value]
    if len(items) > 50 or not all(str(item).isascii() and str(item).isdigit() for item in items):
        raise BadNote("rules_kept", _("Expected numbers of rules."))
    return sorted({int(item) for item in items})


def _flag(value: Any) -> bool:
    return value in (True, "true", "True", "on", "1", 1, "yes")
