"""Pure: this machine's clock, disks and files of keys and secrets."""

from collections.abc import Sequence
from dataclasses import dataclass

from config.doctor.findings import Finding, error, fine, warning

CLOCK_WARNING_MS = 500
CLOCK_ERROR_MS = 1000
DISK_WARNING_SHARE = 0.15
DISK_ERROR_SHARE = 0.05


def clock(offset_ms: float | None) -> Finding:
    """`offset_ms`: the exchange's clock minus ours; None where nobody has asked within an hour."""
    if offset_ms is None:
        return warning(
            "clock",
            "nobody has compared the clocks within the last hour",
            "start a collector; while it runs the exchange's clock is asked for",
        )
    text = f"the exchange's clock minus ours is {offset_ms:.0f} ms"
    remedy = "run an NTP client (chrony, systemd-timesyncd); signed requests fail beyond a second"
    if abs(offset_ms) >= CLOCK_ERROR_MS:
        return error("clock", text, remedy)
    if abs(offset_ms) >= CLOCK_WARNING_MS:
        return warning("clock", text, remedy)
    return fine("clock", text)


def disk(place: str, free_bytes: int, total_bytes: int) -> Finding:
    share = free_bytes / total_bytes if total_bytes else 0.0
    text = f"{place}: {free_bytes / 1e9:.1f} GB free ({share:.0%})"
    remedy = (
        "make room or enlarge the disk; lower RETENTION_SECONDS_DAYS, move ARCHIVE_DIR elsewhere"
    )
    if share < DISK_ERROR_SHARE:
        return error("disk", text, remedy)
    return warning("disk", text, remedy) if share < DISK_WARNING_SHARE else fine("disk", text)


@dataclass(frozen=True)
class KeyFile:
    """`mode`: permission bits; `size` in bytes; `is_ours`: owned by the user that runs this."""

    name: str
    mode: int
    size: int
    is_ours: bool = True


def key_files(folder: str, files: Sequence[KeyFile], *, needed: int) -> list[Finding]:
    """`needed`: credentials that are sealed."""
    if not files:
        text = f"there is no key file in {folder}"
        if needed:
            remedy = "copy the key files back from where they are kept apart; else keys are lost"
            return [error("keys", f"{text}, and {needed} credentials are sealed", remedy)]
        return [warning("keys", text, "manage.py kek ensure")]
    wrong = []
    for file in files:
        if file.mode & 0o377:
            remedy = f"chmod 0400 {folder}/{file.name}"
            wrong.append(
                error("keys", f"{file.name}: expected mode 0400, was {file.mode:04o}", remedy)
            )
        if file.size != 32:
            remedy = "put the right file back from where the keys are kept apart"
            wrong.append(error("keys", f"{file.name}: expected 32 bytes, was {file.size}", remedy))
        if not file.is_ours:
            remedy = f"chown {folder}/{file.name} to the user that runs Tapelog"
            wrong.append(error("keys", f"{file.name} belongs to another user", remedy))
    names = {file.name for file in files}
    if "pepper" not in names:
        remedy = "copy it from another machine or the backup of keys; it is never made anew"
        wrong.append(error("keys", f"{folder} has no file pepper", remedy))
    return wrong or [fine("keys", f"{len(files)} files in {folder}, mode 0400")]


def secret_files(modes: dict[str, int]) -> list[Finding]:
    """Path -> permission bits of each file of secrets: nobody but its owner reads it."""
    wide = {path: mode for path, mode in modes.items() if mode & 0o077}
    if not wide:
        return [fine("secrets", f"{len(modes)} files that only their owner reads")]
    return [
        error("secrets", f"{path}: expected mode 0600, was {mode:04o}", f"chmod 0600 {path}")
        for path, mode in wide.items()
    ]
