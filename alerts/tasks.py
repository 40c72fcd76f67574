"""The alerts' Celery tasks: each calls one service."""

from celery import shared_task

from alerts.evaluation import running
from alerts.evaluation.board import Board
from alerts.evaluation.facts import Facts
from alerts.evaluation.figures import Figures
from alerts.evaluation.system import System
from alerts.services import outbox
from market.jobs import lease
from market.jobs.shutdown import shutdown

# One task sends so many rounds before it leaves the queue to others.
ROUNDS = 20


@shared_task(name="alerts.supervise")
def supervise() -> None:
    """Every few seconds: start an evaluator for each share that nobody holds."""
    for market in running.MARKETS:
        if not lease.is_held(running.share_of(market)):
            evaluate.apply_async((market,), expires=5)


@shared_task(name="alerts.evaluate", acks_late=False)
def evaluate(market: str) -> None:
    """Watch what alerts wait for; early-acknowledged, since the lease keeps it alive."""
    running.evaluate(market, duties_of(market), shutdown)


def duties_of(market: str) -> list[running.Duty]:
    """What a market's evaluator does beside its bars: one of them looks after accounts too."""
    if market == "usdm":
        return [Board().round]
    return [Facts().round, Figures().round, System().round]


@shared_task(name="alerts.deliver")
def deliver() -> None:
    """What is due in the outbox; several workers at once take different rows."""
    for _round in range(ROUNDS):
        if shutdown.is_set() or not outbox.deliver_due():
            return
