"""What a change of a resting order asks for."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.errors import BadOrder
from trading.fields import amount_of
from trading.sentences import told as _

FIELDS = ("quantity", "price", "stop_price")


@dataclass(frozen=True)
class Change:
    quantity: Decimal | None = None
    price: Decimal | None = None
    stop_price: Decimal | None = None

    @classmethod
    def read(cls, body: Any) -> "Change":
        """Raises BadOrder."""
        if not isinstance(body, dict) or not body or set(body) - set(FIELDS):
            raise BadOrder("body", _("Expected an object of %(known)s.", known=", ".join(FIELDS)))
        change = cls(**{name: amount_of(body, name) for name in FIELDS})
        if change == cls():
            raise BadOrder("body", _("Expected one of %(known)s.", known=", ".join(FIELDS)))
        return change
