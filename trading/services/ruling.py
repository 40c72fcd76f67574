"""One's rules: set as a whole, so that a page saves what it shows."""

from typing import Any

from django.db import transaction

from accounts.models import User
from trading.errors import BadOrder
from trading.limits import checked
from trading.models import Rule
from trading.sentences import told as _
from trading.sentences import was


@transaction.atomic
def put_rules(*, user: User, rows: Any) -> list[Rule]:
    """What is not named is taken away. Raises BadOrder, then nothing has changed."""
    if not isinstance(rows, list) or len(rows) > len(Rule.Name.values):
        raise BadOrder(
            "rules",
            _("Expected rules as a list of at most %(most)s.", most=len(Rule.Name.values)),
            field="rules",
        )
    wanted: dict[str, Rule] = {}
    for row in rows:
        if not isinstance(row, dict) or set(row) - {"name", "value", "mode"}:
            raise BadOrder(
                "rules", _("Expected a rule as an object of name, value, mode."), field="rules"
            )
        name, mode = str(row.get("name")), row.get("mode", Rule.Mode.WARN)
        if mode not in Rule.Mode.values:
            raise BadOrder(
                "rules",
                _(
                    "Expected mode of %(known)s, was %(was)s.",
                    known=", ".join(Rule.Mode.values),
                    was=was(mode, 20),
                ),
                field="rules",
            )
        if name in wanted:
            raise BadOrder(
                "rules",
                _("Expected each rule once, %(name)s stands twice.", name=name),
                field="rules",
            )
        try:
            value = checked(name, row.get("value", {}))
        except ValueError as error:
            sentence = f"{error}."  # of English, begun with a small letter
            if sentence.startswith("expected "):
                sentence = f"E{sentence[1:]}"
            raise BadOrder("rules", sentence, field="rules") from error
        wanted[name] = Rule(user=user, name=name, value=value, mode=mode)
    Rule.objects.filter(user=user).exclude(name__in=wanted).delete()
    Rule.objects.bulk_create(
        wanted.values(),
        update_conflicts=True,
        unique_fields=["user", "name"],
        update_fields=["value", "mode"],
    )
    return list(Rule.objects.filter(user=user))
