"""What workers do for trading."""

from celery import shared_task

from trading.services import resolving, stopping, switching


@shared_task(name="trading.resolve")
def resolve() -> None:
    """Every second: intents that are under way, and switches that have ended."""
    resolving.resolve_once()
    stopping.late_arrivals()
    switching.end_due()
