"""Refusals of orders and accounts, in the exchange's words."""


class Refusal(Exception):
    """An error as the exchange says it."""

    def __init__(
        self, code: int, message: str, status: int = 400, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.status = code, status
        # seconds
        self.retry_after = retry_after


def filter_failure(name: str) -> Refusal:
    return Refusal(-1013, f"Filter failure: {name}")


UNKNOWN_ORDER = "Unknown order sent."
NO_BALANCE = "Account has insufficient balance for requested action."
