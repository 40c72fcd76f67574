"""What was wrong with what came in: the field, and a sentence in the reader's language."""

from django.utils.translation import gettext

from alerts.conditions.fields import BadCondition
from alerts.delivery.guard import Refused


class BadInput(ValueError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def translated(field: str, error: BadCondition | Refused) -> BadInput:
    return BadInput(field, gettext(error.template) % error.values)
