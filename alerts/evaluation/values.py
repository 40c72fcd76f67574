"""Alerts over values that come by themselves: their states, and the one way they change."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from alerts.conditions.values import VALUE_PLACES, ValueWatch
from alerts.evaluation.rows import Row
from alerts.services import firing
from alerts.services.firing import Behind, Told
from lib.decimals import text

# What is said, of the value's text.
Words = Callable[[str], Told]


class Values:
    """Kept in step with the table; what is behind is dropped and comes back with the next rows."""

    def __init__(self) -> None:
        self._rows: dict[int, Row] = {}
        self._watches: dict[int, ValueWatch] = {}

    def keep(self, rows: Iterable[Row]) -> list[Row]:
        """These and no others. Returns them as they stand."""
        fresh = {row.pk: row for row in rows}
        for pk in list(self._rows):
            if pk not in fresh or self._rows[pk].version != fresh[pk].version:
                self._drop(pk)
        for pk, row in fresh.items():
            if pk not in self._rows:
                self._rows[pk] = row
                self._watches[pk] = ValueWatch(row.condition, row.cooldown_s * 1000, row.state)
        return list(self._rows.values())

    def feed(self, row: Row, value: Decimal, at_ms: int, words: Words) -> None:
        """A value of an alert as of a time."""
        step = self._watches[row.pk].feed(scaled_value(value), at_ms)
        if step is None:
            return
        try:
            if step.is_fired:
                told = words(text(step.value, VALUE_PLACES))
                version = firing.fire(row.pk, row.version, step.state, told)
            else:
                version = firing.move(row.pk, row.version, step.state)
        except Behind:
            self._drop(row.pk)
            return
        except BaseException:
            self._drop(row.pk)  # what was not written is looked at again
            raise
        self._rows[row.pk] = replace(row, version=version, state=step.state)

    def _drop(self, pk: int) -> None:
        self._rows.pop(pk, None)
        self._watches.pop(pk, None)


def scaled_value(value: Decimal) -> int:
    """To `VALUE_PLACES`, rounded."""
    return int(value.scaleb(VALUE_PLACES).to_integral_value())
