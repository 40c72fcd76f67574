"""Windows of history of `/fapi`."""

from simulator.accounts.refusals import Refusal
from simulator.rest.signed import SignedCall

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS


def week(call: SignedCall, now_ms: int) -> tuple[int, int]:
    """startTime to endTime, at most seven days apart; the last seven without them. Raises
    Refusal."""
    start, end = call.moment_ms("startTime"), call.moment_ms("endTime")
    if start is not None and end is not None and end - start > WEEK_MS:
        raise Refusal(-4167, "The interval between startTime and endTime is over 7 days.")
    if end is None:
        end = now_ms if start is None else start + WEEK_MS
    return (end - WEEK_MS if start is None else start), end
