"""What can go wrong with the exchange, split by what the caller does about it."""


class ExchangeError(Exception):
    """Base of all."""


class TryAgain(ExchangeError):
    """Timeouts, 5xx and overload of a read: the same call may go through later."""


class MustWait(ExchangeError):
    """The rate limit, ours or Binance's; nobody may call before `seconds` have passed."""

    def __init__(self, seconds: float, message: str) -> None:
        super().__init__(message)
        self.seconds = seconds


class Refused(ExchangeError):
    """Binance understood and said no; `code` is its error code."""

    def __init__(self, code: int, message: object) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"Binance said {self.code}: {self.message}"


class TooOld(Refused):
    """-4166: futures' aggregates are remembered for two days at most."""


class BadKey(Refused):
    """The key is unknown, revoked, not allowed from this address, or lacks a permission; or its
    secret is wrong. Its owner has to do something: nobody retries."""


class ClockDiffers(Refused):
    """-1021: our clock and the exchange's differ; measured again, the call may go through."""


class UnknownOutcome(ExchangeError):
    """A change that may or may not have happened: it has to be looked up, never sent again."""
