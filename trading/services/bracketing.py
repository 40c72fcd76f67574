"""One's templates of brackets: set as a whole, as one's rules are."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from lib.decimals import plain
from trading.errors import BadOrder
from trading.fields import MOST_TARGETS, amount_of
from trading.models import Bracket
from trading.sentences import told as _

MOST = 30
NAME_LENGTH = 60
FIELDS = {"name", "stop_percent", "targets", "risk"}


@transaction.atomic
def put_brackets(*, user: User, rows: Any) -> list[Bracket]:
    """What is not named is taken away. Raises BadOrder, then nothing has changed."""
    if not isinstance(rows, list) or len(rows) > MOST:
        raise _bad("brackets", _("Expected brackets as a list of at most %(most)s.", most=MOST))
    brackets = [_bracket(user, row) for row in rows]
    names = [bracket.name for bracket in brackets]
    if len(set(names)) != len(names):
        raise _bad("name", _("Expected each name once."))
    Bracket.objects.filter(user=user).exclude(name__in=names).delete()
    Bracket.objects.bulk_create(
        brackets,
        update_conflicts=True,
        unique_fields=["user", "name"],
        update_fields=["stop_percent", "targets", "risk"],
    )
    return list(Bracket.objects.filter(user=user))


def bracket_row(bracket: Bracket) -> dict[str, Any]:
    percent = bracket.stop_percent
    return {
        "name": bracket.name,
        "stop_percent": None if percent is None else plain(percent),
        "targets": bracket.targets,
        "risk": bracket.risk,
    }


def _bracket(user: User, row: Any) -> Bracket:
    if not isinstance(row, dict) or set(row) - FIELDS:
        known = ", ".join(sorted(FIELDS))
        raise _bad("brackets", _("Expected a bracket as an object of %(known)s.", known=known))
    name = row.get("name")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= NAME_LENGTH or "\0" in name:
        raise _bad(
            "name",
            _(
                "Expected %(name)s as text of at most %(most)s characters.",
                name="name",
                most=NAME_LENGTH,
            ),
        )
    percent = amount_of(row, "stop_percent")
    if percent is not None and percent >= 100:
        raise _bad("stop_percent", _("Expected stop_percent below 100."))
    targets = row.get("targets", [])
    if not isinstance(targets, list) or len(targets) > MOST_TARGETS:
        raise _bad(
            "targets", _("Expected targets as at most %(most)s multiples of R.", most=MOST_TARGETS)
        )
    multiples = [_amount({"target": target}, "target", "targets") for target in targets]
    return Bracket(
        user=user,
        name=name.strip(),
        stop_percent=None if percent is None else percent.quantize(Decimal("0.0001")),
        targets=[plain(multiple) for multiple in multiples],
        risk=_risk(row.get("risk", {})),
    )


def _risk(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or set(value) - {"money", "percent"} or len(value) > 1:
        raise _bad("risk", _("Expected risk as an object of money or percent."))
    return {name: plain(_amount(value, name, f"risk.{name}")) for name in value}


def _amount(body: Mapping[str, Any], name: str, shown: str) -> Decimal:
    """Raises BadOrder where there is none, too."""
    amount = amount_of(body, name, shown)
    if amount is None:
        raise _bad(shown, _("Expected %(name)s as decimal text.", name=shown))
    return amount


def _bad(field: str, detail: str) -> BadOrder:
    return BadOrder("brackets", detail, field=field)
