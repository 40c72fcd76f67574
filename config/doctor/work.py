"""Pure: queues, leases, feed, gaps and histories."""

from collections.abc import Mapping
from dataclasses import dataclass

from config.doctor.findings import Finding, error, fine, warning

LONG_QUEUE = 200
LATE_SECONDS = 60.0
WORKERS = {
    "celery": "celery -A config worker --pool threads -Q celery -c 4",
    "collectors": "celery -A config worker --pool threads -Q collectors -c 8",
    "sync": "celery -A config worker --pool threads -Q sync -c 4",
    "listeners": "celery -A config worker --pool threads -Q listeners -c 4",
    **dict.fromkeys(
        ("upkeep", "imports", "retention"),
        "celery -A config worker --pool threads -Q upkeep,imports,retention -c 6",
    ),
}


def queues(lengths: Mapping[str, int]) -> list[Finding]:
    long = {name: length for name, length in lengths.items() if length > LONG_QUEUE}
    if not long:
        return [fine("queues", f"{sum(lengths.values())} tasks wait in {len(lengths)} queues")]
    return [
        error("queues", f"{length} tasks wait in {name}", f"is its worker up? {WORKERS[name]}")
        for name, length in long.items()
    ]


@dataclass(frozen=True)
class Lease:
    share: str
    is_held: bool
    # what the holder says: connected, reconnecting, …
    state: str


def leases(held: list[Lease], *, followed: int) -> list[Finding]:
    """`followed`: markets that are to be collected."""
    if not followed:
        return [fine("leases", "no market is followed")]
    remedy = f"start a worker of the queue collectors, and beat: {WORKERS['collectors']}"
    if not any(lease.is_held for lease in held):
        return [error("leases", f"nobody collects, {followed} markets are followed", remedy)]
    free = [lease.share for lease in held if not lease.is_held and lease.state != "released"]
    if free:
        return [warning("leases", f"nobody holds {', '.join(free)}", remedy)]
    return [fine("leases", f"{sum(lease.is_held for lease in held)} are held")]


def feed(held: list[Lease]) -> list[Finding]:
    states = {lease.share: lease.state for lease in held if lease.is_held}
    away = {share: state for share, state in states.items() if state == "reconnecting"}
    if not states:
        return []  # the leases have said so
    if away:
        text = f"not connected: {', '.join(away)}"
        remedy = "can this machine reach BINANCE_SPOT_STREAM_URL and BINANCE_FUTURES_STREAM_URL?"
        return [error("feed", text, remedy)]
    return [fine("feed", f"{len(states)} connected")]


def tapes(lags: Mapping[str, float | None], open_gaps: int) -> list[Finding]:
    """Market -> seconds that are not covered; None where nothing is known."""
    late = sorted(name for name, lag in lags.items() if lag is None or lag > LATE_SECONDS)
    remedy = "see Continuity in docs/operating.md: collector, exchange, room in Valkey"
    findings = []
    if late:
        text = f"{len(late)} of {len(lags)} tapes are late: {', '.join(late[:5])}"
        findings.append(error("tapes", text, remedy))
    if open_gaps:
        text = f"{open_gaps} gaps are open"
        findings.append(warning("tapes", text, "they are filled by themselves; look again later"))
    return findings or [fine("tapes", f"{len(lags)} are whole")]


def bans(hosts: Mapping[str, float]) -> list[Finding]:
    """Host -> seconds that are left."""
    return [
        error("ban", f"{host} wants silence for {left:.0f} s", "lower WEIGHT_BUDGET_PCT")
        for host, left in hosts.items()
    ] or [fine("ban", "the exchange has banned nobody")]


def histories(failed: int, broken_keys: int, parked_books: int) -> list[Finding]:
    findings = []
    if failed:
        remedy = "the account's page has the reason; they are tried again by themselves"
        findings.append(warning("histories", f"{failed} accounts could not be read", remedy))
    if broken_keys:
        remedy = "their owners have to give a new key"
        findings.append(warning("histories", f"{broken_keys} keys are refused", remedy))
    if parked_books:
        remedy = "log: book not built; the reason is in the proof; report it"
        findings.append(warning("histories", f"{parked_books} books cannot be computed", remedy))
    return findings or [fine("histories", "all accounts are read and computed")]
