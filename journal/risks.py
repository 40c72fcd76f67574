"""What a trade risked, and results by it, worked out by PostgreSQL: what its first stop would have
cost, and without one the risk that its owner says is usual."""

from typing import Any

from django.db.models import (
    DecimalField,
    ExpressionWrapper,
    F,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Abs, Coalesce, NullIf

from journal.models import Annotation, Preferences, Trade

WIDE = DecimalField(max_digits=80, decimal_places=30)


def risk_of(user_id: int) -> Any:
    """In dollars, of a trade's columns; null without a usual risk where there was no stop or it is
    the entry itself."""
    stops = Annotation.objects.filter(user=user_id, trade_key=OuterRef("key"))
    own_stop = Subquery(stops.exclude(initial_stop=None).values("initial_stop")[:1])
    first_stop = Coalesce(own_stop, F("placed_stop"))
    # a stop is a price of the trade's pair, the entry is in dollars
    distance = Abs(F("entry_price") - first_stop * F("quote_rate"))
    risk = ExpressionWrapper(distance * F("quantity"), output_field=WIDE)
    by_stop = NullIf(risk, Value(0, output_field=WIDE))
    usual = Subquery(Preferences.objects.filter(pk=user_id).values("usual_risk")[:1])
    return Coalesce(by_stop, usual, output_field=WIDE)


def with_r(trades: "QuerySet[Trade]", user_id: int) -> "QuerySet[Trade]":
    """With `risk`, and `result_by_risk`: the net by it; both null where no
    risk is known."""
    by_risk = ExpressionWrapper(F("net") / F("risk"), output_field=WIDE)
    return trades.annotate(risk=risk_of(user_id)).annotate(result_by_risk=by_risk)


def only_r(trades: "QuerySet[Trade]", user_id: int, **limits: Any) -> "QuerySet[Trade]":
    """Those whose result by risk is within limits (`gte`, `lte`)."""
    by_risk = ExpressionWrapper(F("net") / F("first_risk"), output_field=WIDE)
    known = trades.alias(first_risk=risk_of(user_id)).alias(by_first_risk=by_risk)
    return known.filter(**{f"by_first_risk__{how}": value for how, value in limits.items()})
