"""Loops over tenants, tapes and rows of many owners: one that is ill stops no other."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection
from psycopg import errors

from lib.parking import Parking

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
# PostgreSQL is there, and cannot do this one thing now.
BUSY = (
    errors.QueryCanceled,
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
)


# How long a thread that everybody waits for waits itself for a row that somebody holds.
IMPATIENT_MS = 250


def be_impatient(milliseconds: int = IMPATIENT_MS) -> None:
    """Until the transaction ends no lock is waited for longer: what is not had by then raises
    OperationalError (`is_locked`)."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {milliseconds}")


def is_locked(error: Exception) -> bool:
    """Somebody else holds what it needs, and it did not want to wait longer: nobody's fault."""
    return isinstance(error.__cause__, errors.LockNotAvailable)


def is_busy(error: Exception) -> bool:
    """PostgreSQL could not do this one thing now, for somebody else's sake."""
    return isinstance(error, OperationalError) and isinstance(error.__cause__, BUSY)


def is_away(error: Exception) -> bool:
    """PostgreSQL does not answer: the same for everybody, and nobody's fault."""
    is_refused = isinstance(error, OperationalError | InterfaceError)
    return is_refused and not isinstance(error.__cause__, BUSY)


def each(
    what: str,
    items: Iterable[Item],
    step: Callable[[Item], Result],
    *,
    name_of: Callable[[Item], object] = str,
    parked: Parking | None = None,
) -> list[Result]:
    """Do `step` with every item; the results of those that worked. Whatever goes wrong with one is
    logged under `what` and its name, and with `parked` it waits, longer each time. A step does its
    own transaction. Raises only what says that PostgreSQL is away."""
    done: list[Result] = []
    for item in items:
        name = f"{what} {name_of(item)}"
        if parked is not None and parked.is_parked(name):
            continue
        try:
            done.append(step(item))
        except Exception as error:
            if is_away(error):
                raise
            pause = parked.park(name) if parked is not None else 0
            log.exception("set aside", what=what, name=str(name_of(item)), again_in=pause)
        else:
            if parked is not None:
                parked.clear(name)
    return done


def in_turn(what: str, *steps: Callable[[], object]) -> None:
    """Each step of a task, whatever became of the one before. Raises as `each` does."""
    each(what, steps, lambda step: step(), name_of=lambda step: getattr(step, "__name__", "step"))
