"""What workers do for trading."""

from celery import shared_task

from market.jobs.guarding import in_turn
from trading.services import adopting, resolving, stopping, stranded, switching, watching


@shared_task(name="trading.resolve")
def resolve() -> None:
    """Every second: intents that are under way, orders that arrive after a stop, switches that have
    ended."""
    in_turn("trading", resolving.resolve_once, stopping.late_arrivals, switching.end_due)


@shared_task(name="trading.follow")
def follow() -> None:
    """Every few seconds: what the journal has heard of our orders, plans that go to their trades,
    stops without their position, and positions without their stop."""
    in_turn(
        "trading",
        adopting.follow_orders,
        adopting.adopt_once,
        stranded.take_back,
        watching.watch_once,
    )
