"""Alerts as an evaluator needs them: read once, and again when their version has changed."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from alerts.conditions.kinds import KINDS, Scope
from alerts.conditions.states import State
from alerts.conditions.watches import RATIO_PLACES, Rule
from alerts.models import Alert
from journal.models import Setup
from lib.dates import to_ms
from lib.decimals import scaled

Pair = tuple[str, str]


@dataclass(frozen=True)
class Row:
    """One alert at work."""

    pk: int
    user_id: int
    version: int
    condition: dict[str, Any]
    cooldown_s: int
    state: State
    since_ms: int
    # name and condition of the setup that it names
    setup_name: str = ""
    setup: dict[str, str] | None = None

    @property
    def kind(self) -> str:
        return str(self.condition["kind"])

    @property
    def pair(self) -> Pair:
        return self.condition["market"], self.condition["symbol"]

    def rule(self, limit: int | None = None) -> Rule:
        """`limit` is what its quantile stands at now."""
        if self.setup is not None:
            limit = scaled(self.setup["least_share"], RATIO_PLACES)
        return Rule(self.pk, self.condition, self.cooldown_s * 1000, limit, self.setup)


def versions(scope: Scope, market: str) -> dict[int, int]:
    """Alert -> version, of what is at work in a market (`spot`, `usdm`)."""
    return dict(_at_work({scope}).filter(market=market).values_list("pk", "version"))


def of_pairs(scope: Scope, pairs: Collection[Pair]) -> list[Row]:
    """What is at work in some markets."""
    chosen = _at_work({scope}).filter(symbol__in={symbol for _market, symbol in pairs})
    return [row for row in _read(chosen) if row.pair in pairs]


def of_alerts(pks: Collection[int]) -> list[Row]:
    return _read(_at_work(set(Scope)).filter(pk__in=pks))


def of_scopes(*scopes: Scope) -> list[Row]:
    return _read(_at_work(set(scopes)))


def _read(alerts: "QuerySet[Alert]") -> list[Row]:
    names = ("pk", "user_id", "version", "condition", "cooldown_s", "state", "since")
    return _with_setups([_row(*values) for values in alerts.values_list(*names)])


def _at_work(scopes: Collection[Scope]) -> "QuerySet[Alert]":
    kinds = [kind.name for kind in KINDS.values() if kind.scope in scopes]
    return Alert.objects.filter(kind__in=kinds, is_paused=False, user__is_active=True)


def _row(
    pk: int,
    user_id: int,
    version: int,
    condition: dict[str, Any],
    cooldown_s: int,
    state: dict[str, Any],
    since: datetime,
) -> Row:
    since_ms = to_ms(since)
    standing = State.from_json(state)
    # a second that had begun when the alert was made holds what came before it
    first_ms = -(-since_ms // 1000) * 1000
    standing = replace(standing, seen_ms=max(standing.seen_ms, first_ms))
    return Row(pk, user_id, version, condition, cooldown_s, standing, since_ms)


def _with_setups(rows: Iterable[Row]) -> list[Row]:
    """Rows of setups that are gone, or have no condition any more, are left out."""
    rows = list(rows)
    wanted = {row.condition["setup"] for row in rows if "setup" in row.condition}
    if not wanted:
        return rows
    setups = {setup.pk: setup for setup in Setup.objects.filter(pk__in=wanted)}
    kept: list[Row] = []
    for row in rows:
        if "setup" in row.condition:
            setup = setups.get(row.condition["setup"])
            if setup is None or not setup.conditions.get("least_share"):
                continue
            row = replace(row, setup_name=setup.name, setup=setup.conditions)
        kept.append(row)
    return kept
