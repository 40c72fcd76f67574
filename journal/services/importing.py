"""An upload looked at and taken in. Looking is taking in and rolling back: what the preview says
cannot differ from what is done."""

from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from accounts.pacing import Pace
from accounts.services import auditing
from accounts.services.credentials import has_key
from accounts.shares import USER
from journal.books import comparing
from journal.books.due import Touched
from journal.checking import check_time
from journal.faults import Bad, NotAFile
from journal.files import making
from journal.files.found import FoundFill, FoundIncome, FoundTransfer, Reading
from journal.files.reading import read
from journal.files.tables import Limits
from journal.files.zones import name_of, zone_given
from journal.models import Market, Upload
from journal.services import exports
from journal.services.exports import forget_compared, say_compared
from journal.services.tallying import Tally
from journal.sync import offsets
from journal.sync.doorkeeping import (
    PAGE_PATIENCE,
    PATIENCE,
    Busy,
    busy_as_such,
    lock,
    wait_for_turn,
)
from journal.sync.likeness import second_of
from journal.sync.saving import save_fills, save_income, save_transfers
from market.models import Listing

log = structlog.get_logger(__name__)
State = Upload.State
# reasons of the preview, and rows that are saved at once
REASONS, PART = 200, 2000
# where a file may stand that is looked at, and one that is taken in
LOOKS = frozenset({State.WAITING, State.READING, State.LOOKED, State.FAILED})
TAKES = frozenset({State.LOOKED, State.TAKING})
# and read before its owner hears of it
SAID_ROWS = 5000


def look(upload: Upload, patience: float = PATIENCE) -> Upload:
    """Reads it and says what taking it in would do. Raises Busy, and the file waits as before,
    where another door is at the account's history for more than `patience` seconds."""
    try:
        wait_for_turn(upload.account, patience)
        if not _begin(upload, State.READING, LOOKS):
            return upload
        pace = _pace(upload)
        reading = _read(upload, pace)
        zone = _zone(upload, reading)
        _settle_times(reading, zone)
        if reading.needs_zone and zone is None:
            upload.preview = _facts(reading, None, None) | {"needs_zone": True}
        else:
            with busy_as_such(), transaction.atomic():
                lock(upload.account, max(patience, PAGE_PATIENCE))
                # books are made due only by what stays
                merged = _merge(upload, reading, zone, pace, Touched())
                upload.preview = _facts(reading, zone, merged)
                transaction.set_rollback(True)
    except Busy:
        exports.wait(upload, State.WAITING, LOOKS)
        raise
    except Bad as error:
        return _fail(upload, error)
    except Exception:
        _fail(upload, Bad("failed"))
        raise
    exports.move(upload, State.LOOKED, [State.READING], preview=upload.preview)
    return upload


def take_in(
    upload: Upload, *, user: User | None, digest: str, patience: float = PATIENCE
) -> Upload:
    """Exactly what was looked at: where that is not so any more, nothing is done and `problem`
    says so. Raises Busy as `look` does."""
    try:
        wait_for_turn(upload.account, patience)
        if not _begin(upload, State.TAKING, TAKES):
            return upload
        pace = _pace(upload)
        reading = _read(upload, pace)
        zone = _zone(upload, reading)
        if reading.needs_zone and zone is None:
            raise NotAFile("zone")
        _settle_times(reading, zone)
        with busy_as_such(), transaction.atomic():
            lock(upload.account, max(patience, PAGE_PATIENCE))
            if not exports.is_still(upload, TAKES):
                return upload  # another worker was faster
            touched = Touched()
            merged = _merge(upload, reading, zone, pace, touched)
            facts = _facts(reading, zone, merged)
            if facts["digest"] != digest:
                raise NotAFile("changed")
            touched.make_due(upload.account)
            _taken(upload, facts, merged.rows, user)
    except Busy:
        exports.wait(upload, State.TAKING, TAKES)
        raise
    except Bad as error:
        return _fail(upload, error)
    except Exception:
        _fail(upload, Bad("failed"))
        raise
    if has_key(upload.account):  # else there are no balances to compare with
        comparing.compare(upload.account)
    return upload


def _taken(upload: Upload, facts: dict[str, Any], rows: int, user: User | None) -> None:
    upload.preview, upload.rows_taken = facts, rows
    upload.state, upload.taken_at, upload.body = State.TAKEN, timezone.now(), b""
    upload.save()
    _audit(upload, user, "file taken in")


def _pace(upload: Upload) -> Pace:
    return Pace(f"{USER}{upload.account.user_id}")


def _read(upload: Upload, pace: Pace) -> Reading:
    listings = Listing.objects.filter(venue=upload.account.venue, market__in=Market.values)
    pairs = {
        (market, symbol): (base, quote)
        for market, symbol, base, quote in listings.values_list(
            "market", "symbol", "base_asset", "quote_asset"
        )
    }

    limits = Limits()

    def tick(done: int) -> None:
        limits.until += pace.rest()  # is not taken from the time that it has
        if not done % SAID_ROWS:
            Upload.objects.filter(pk=upload.pk).update(done=done, changed_at=timezone.now())

    return read(bytes(upload.body), upload.name, pairs, timezone.now(), limits, tick)


def _zone(upload: Upload, reading: Reading) -> tzinfo | None:
    """Chosen by its owner, else told by what is known."""
    if not reading.needs_zone:
        return UTC
    if upload.zone:
        return zone_given(upload.zone)
    return offsets.told_by_known(upload.account, reading.fills)


def _settle_times(reading: Reading, zone: tzinfo | None) -> None:
    """What has not been yet, now that the zone is known; what is left is put into its order."""
    now = timezone.now()

    def has_been(row: FoundFill | FoundTransfer | FoundIncome) -> bool:
        try:
            check_time(row.place.at(zone), now)
        except Bad as error:
            if row.place.zone is None and zone is None:
                return True  # it is not known when it was
            reading.leave_out(row.place.member, row.place.line, error.fault)
            return False
        return True

    reading.fills = [row for row in reading.fills if has_been(row)]
    reading.fills.sort(key=lambda row: (row.place.at(zone), row.rank))
    reading.transfers = [row for row in reading.transfers if has_been(row)]
    reading.incomes = [row for row in reading.incomes if has_been(row)]


def _merge(
    upload: Upload, reading: Reading, zone: tzinfo | None, pace: Pace, touched: Touched
) -> Tally:
    """A part at a time: memory does not grow with what is new. While it only adds rows, nobody
    waits for it but the account's other doors, which are told (`Busy`): so it may rest."""
    account = upload.account
    tally = Tally()
    for number, part in enumerate(_parts(reading.fills, zone)):
        if number and not tally.replaced:
            pace.rest()
        rows = making.fills(account, part, zone)
        tally.add(save_fills(account, rows, upload, tally.gone, touched))
        say_compared(upload, len(part))
    for moved in _by_teller(reading.transfers):
        transfers = making.transfers(account, moved, zone)
        save_transfers(account, transfers, upload, tally.gone, touched)
        tally.add([row for row in transfers if row.pk])
    for is_named in (True, False):
        lines = [row for row in reading.incomes if bool(row.external_id) == is_named]
        incomes = making.incomes(account, lines, zone)
        save_income(account, incomes, upload, tally.gone, touched)
        tally.add([row for row in incomes if row.pk])
    return tally


def _by_teller(rows: list[FoundTransfer]) -> list[list[FoundTransfer]]:
    """One export after the other, so that they know each other; the statement, which tells least,
    last."""
    tellers = sorted({row.teller for row in rows})
    tellers.sort(key=lambda teller: teller == "statement")
    return [[row for row in rows if row.teller == teller] for teller in tellers]


def _parts(fills: list[FoundFill], zone: tzinfo | None) -> Iterator[list[FoundFill]]:
    """Oldest first; the rows of one second stay together, since they are told apart by number."""
    start = 0
    while start < len(fills):
        end = min(start + PART, len(fills))
        last = second_of(fills[end - 1].place.at(zone))
        while end < len(fills) and second_of(fills[end].place.at(zone)) == last:
            end += 1
        yield fills[start:end]
        start = end


# --- what is said of it -------------------------------------------------------------------------


def _facts(reading: Reading, zone: tzinfo | None, tally: Tally | None) -> dict[str, Any]:
    """The preview, as JSON."""
    rows = len(reading.fills) + len(reading.transfers) + len(reading.incomes)
    first, last = _span(reading, zone)
    return {
        "kind": reading.kind,
        "rows": rows,
        "new": tally.rows if tally else 0,
        "known": rows - tally.rows if tally else 0,
        "replaced": tally.replaced if tally else 0,
        "first": first,
        "last": last,
        "zone": name_of(zone) if zone and reading.needs_zone else "",
        "parts": [
            {
                "member": part.member,
                "kind": part.kind,
                "rows": part.rows,
                "zone": name_of(part.zone) if part.zone else "",
            }
            for part in reading.parts
        ],
        "left_out": [
            {"member": left.member, "line": left.line, **left.fault.as_json()}
            for left in reading.left_out[:REASONS]
        ],
        "left_out_count": reading.left_out_count,
        "changes": tally.changes() if tally else [],
        "unknown": tally.unknown() if tally else [],
        "sample": tally.sample if tally else [],
        "digest": tally.digest() if tally else "",
    }


def _span(reading: Reading, zone: tzinfo | None) -> tuple[str, str]:
    """First and last time, ISO 8601, or two empty texts."""
    times = [row.place.at(zone) for row in reading.rows]
    return (min(times).isoformat(), max(times).isoformat()) if times else ("", "")


def _begin(upload: Upload, state: str, before: frozenset[str]) -> bool:
    forget_compared(upload)
    return exports.move(upload, state, before, done=0, problem={})


def _fail(upload: Upload, error: Bad) -> Upload:
    at_work = frozenset({State.READING, State.TAKING})
    exports.move(upload, State.FAILED, at_work, problem=error.fault.as_json())
    log.info("file not taken", upload=upload.pk, code=error.fault.code)
    return upload


def _audit(upload: Upload, user: User | None, action: str) -> None:
    account: ExchangeAccount = upload.account
    auditing.record(
        actor=user,
        owner=account.user,
        action=action,
        subject=str(account.pk),
        why=f"{upload.name} ({upload.rows_taken})"[-120:],
    )
