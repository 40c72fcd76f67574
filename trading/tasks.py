"""What workers do for trading."""

from celery import shared_task

from market.jobs.guarding import in_turn
from trading.models import OrderIntent, TradingSwitch
from trading.services import adopting, resolving, stopping, stranded, switching, watching


@shared_task(name="trading.resolve")
def resolve() -> None:
    """Every second that there is one of them: intents that are under way, orders that arrive after
    a stop, switches that have ended."""
    in_turn("trading", resolving.resolve_once, stopping.late_arrivals, switching.end_due)


def is_anything_to_resolve() -> bool:
    """What the beat asks before it asks a worker."""
    return is_anybody_trading() and (
        resolving.due().exists() or stopping.late_orders().exists() or switching.fallen().exists()
    )


def is_anybody_trading() -> bool:
    """Whether an order was ever made here, or one may be: on most servers, never."""
    return OrderIntent.objects.exists() or TradingSwitch.objects.filter(is_on=True).exists()


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
