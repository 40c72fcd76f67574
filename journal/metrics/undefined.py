"""What a metric says where it has no value: a reason to show, never a made-up number."""

from decimal import Context, Decimal
from enum import StrEnum

# Wide enough that only divisions and roots round.
PRECISION = Context(prec=50)


class Undefined(StrEnum):
    NOTHING = "-"
    NO_LOSSES = "no losses"
    TOO_SHORT = "under 90 days"


Metric = Decimal | Undefined
