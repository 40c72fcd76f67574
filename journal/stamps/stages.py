"""What a fill's flow is to get next, by what it is made of now. Pure but for the names."""

from django.conf import settings

from journal.models import FillFlow, Market

Basis, Stage = FillFlow.Basis, FillFlow.Stage


def stage_of(basis: str, market: str, *, is_entry: bool) -> FillFlow.Stage:
    """Seconds only for entries, and only where the exchange has candles of them."""
    if basis == Basis.TRADES:
        return Stage.DONE
    if basis == Basis.AGGREGATES:
        wants_trades = settings.FLOW_UNIT == "trade" and market == Market.SPOT
        return Stage.BANDS if wants_trades else Stage.DONE
    if basis == Basis.CANDLES_1S:
        return Stage.BANDS
    if basis == Basis.CANDLES_1M:
        return Stage.SECONDS if is_entry and market == Market.SPOT else Stage.BANDS
    return Stage.TOTAL
