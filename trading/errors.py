"""Why an order is not placed, for whoever asked for it: in the language of whoever reads it."""

from typing import Any


class TradingError(Exception):
    """`status` is HTTP's, `code` the contract's word, `more` stands beside them in the answer. What
    `detail` is given is put into words when it is read."""

    status = 400

    def __init__(self, code: str, detail: object, **more: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.more = more

    @property
    def detail(self) -> str:
        return str(self)

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "detail": self.detail, **self.more}


class BadOrder(TradingError):
    """What was asked for cannot be: its owner changes it."""


class NotFound(TradingError):
    status = 404


class Forbidden(TradingError):
    """Switch, cap or rule."""

    status = 403


class Conflict(TradingError):
    status = 409


class OtherBody(TradingError):
    """The key was used for something else."""

    status = 422


class NoBudget(TradingError):
    """Nothing was written; `seconds` until it may go."""

    status = 429

    def __init__(self, seconds: float, detail: object) -> None:
        super().__init__("no_order_budget", detail)
        self.seconds = seconds


class Away(TradingError):
    """What is needed to place an order safely cannot be asked just now; nothing was written."""

    status = 503

    def __init__(self, detail: object) -> None:
        super().__init__("not_now", detail)
        self.seconds = 1.0
