"""An upload looked at and taken in. Looking is taking in and rolling back: what the preview says
cannot differ from what is done."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Any

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.models import AuditEntry, ExchangeAccount, User
from journal.checking import check_time
from journal.faults import Bad, NotAFile
from journal.files import making
from journal.files.found import FoundFill, FoundIncome, FoundTransfer, Reading
from journal.files.reading import read
from journal.files.zones import name_of, zone_given
from journal.models import Fill, Income, Market, Transfer, Upload
from journal.services import comparing
from journal.sync import offsets
from journal.sync.doorkeeping import lock
from journal.sync.saving import save_fills, save_income, save_transfers
from lib.decimals import plain
from market.models import Listing

log = structlog.get_logger(__name__)
State = Upload.State
# rows and reasons of the preview
SHOWN, REASONS = 20, 200


@dataclass(frozen=True)
class Merged:
    """What was not known yet, saved."""

    fills: list[Fill]
    transfers: list[Transfer]
    incomes: list[Income]

    @property
    def rows(self) -> list[Fill | Transfer | Income]:
        return [*self.fills, *self.transfers, *self.incomes]


def look(upload: Upload) -> Upload:
    """Reads it and says what taking it in would do."""
    _say(upload, State.READING)
    try:
        reading = _read(upload)
        zone = _zone(upload, reading)
        _leave_out_times(reading, zone)
        if reading.needs_zone and zone is None:
            upload.preview = _facts(reading, None, None) | {"needs_zone": True}
        else:
            with transaction.atomic():
                merged = _merge(upload, reading, zone)
                upload.preview = _facts(reading, zone, merged)
                transaction.set_rollback(True)
    except Bad as error:
        return _fail(upload, error)
    except Exception:
        _fail(upload, Bad("failed"))
        raise
    upload.state = State.LOOKED
    upload.save(update_fields=["preview", "state", "changed_at"])
    return upload


def take_in(upload: Upload, *, user: User | None, digest: str) -> Upload:
    """Exactly what was looked at: where that is not so any more, nothing is done and `problem`
    says so."""
    _say(upload, State.TAKING)
    try:
        reading = _read(upload)
        zone = _zone(upload, reading)
        if reading.needs_zone and zone is None:
            raise NotAFile("zone")
        _leave_out_times(reading, zone)
        with transaction.atomic():
            merged = _merge(upload, reading, zone)
            facts = _facts(reading, zone, merged)
            if facts["digest"] != digest:
                raise NotAFile("changed")
            _taken(upload, facts, len(merged.rows), user)
    except Bad as error:
        return _fail(upload, error)
    except Exception:
        _fail(upload, Bad("failed"))
        raise
    comparing.compare(upload.account)
    return upload


def _taken(upload: Upload, facts: dict[str, Any], rows: int, user: User | None) -> None:
    upload.preview, upload.rows_taken = facts, rows
    upload.state, upload.taken_at, upload.body = State.TAKEN, timezone.now(), b""
    upload.save()
    _audit(upload, user, "file taken in")


def _read(upload: Upload) -> Reading:
    listings = Listing.objects.filter(venue=upload.account.venue, market__in=Market.values)
    pairs = {
        (market, symbol): (base, quote)
        for market, symbol, base, quote in listings.values_list(
            "market", "symbol", "base_asset", "quote_asset"
        )
    }

    def tick(done: int) -> None:
        Upload.objects.filter(pk=upload.pk).update(done=done, changed_at=timezone.now())

    return read(bytes(upload.body), upload.name, pairs, timezone.now(), tick=tick)


def _zone(upload: Upload, reading: Reading) -> tzinfo | None:
    """Chosen by its owner, else told by what is known."""
    if not reading.needs_zone:
        return UTC
    if upload.zone:
        return zone_given(upload.zone)
    return offsets.told_by_known(upload.account, reading.fills)


def _leave_out_times(reading: Reading, zone: tzinfo | None) -> None:
    """What has not been yet, now that the zone is known."""
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
    reading.transfers = [row for row in reading.transfers if has_been(row)]
    reading.incomes = [row for row in reading.incomes if has_been(row)]


def _merge(upload: Upload, reading: Reading, zone: tzinfo | None) -> Merged:
    account = upload.account
    lock(account)
    fills = save_fills(account, making.fills(account, reading.fills, zone), upload)
    transfers = making.transfers(account, reading.transfers, zone)
    save_transfers(account, transfers, upload)
    incomes = making.incomes(account, reading.incomes, zone)
    save_income(account, incomes, upload)
    return Merged(fills, [row for row in transfers if row.pk], [row for row in incomes if row.pk])


# --- what is said of it -------------------------------------------------------------------------


def _facts(reading: Reading, zone: tzinfo | None, merged: Merged | None) -> dict[str, Any]:
    """The preview, as JSON."""
    times = [row.place.at(zone) for row in reading.rows]
    fresh = merged.rows if merged else []
    return {
        "kind": reading.kind, "rows": len(times), "new": len(fresh),
        "known": len(times) - len(fresh) if merged else 0,
        "first": min(times).isoformat() if times else "",
        "last": max(times).isoformat() if times else "",
        "zone": name_of(zone) if zone and reading.needs_zone else "",
        "parts": [
            {"member": part.member, "kind": part.kind, "rows": part.rows,
             "zone": name_of(part.zone) if part.zone else ""}
            for part in reading.parts
        ],
        "left_out": [
            {"member": left.member, "line": left.line, **left.fault.as_json()}
            for left in reading.left_out[:REASONS]
        ],
        "left_out_count": reading.left_out_count,
        "changes": _changes(merged) if merged else [],
        "sample": [_line(row) for row in fresh[:SHOWN]],
        "digest": _digest(fresh),
    }  # fmt: skip


def _changes(merged: Merged) -> list[tuple[str, str, str]]:
    """(wallet, coin or contract, what it holds more or less)"""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for fill in merged.fills:
        sign = 1 if fill.side == "BUY" else -1
        if fill.market != Market.SPOT:
            sums[fill.market, fill.symbol] += sign * fill.quantity
            continue
        sums["spot", fill.base] += sign * fill.quantity
        sums["spot", fill.quote] -= sign * fill.quote_quantity
        if fill.fee:
            sums["spot", fill.fee_asset] -= fill.fee
    for row in merged.transfers:
        sums[row.wallet, row.asset] += row.amount
    for item in merged.incomes:
        sums["usdm", item.asset] += item.amount
    return [(wallet, name, plain(total)) for (wallet, name), total in sorted(sums.items()) if total]


def _line(row: Fill | Transfer | Income) -> dict[str, str]:
    at = {"time": row.time.isoformat()}
    if isinstance(row, Fill):
        text = f"{row.side} {plain(row.quantity)} {row.base} · {plain(row.price)} {row.quote}"
        if row.fee:
            text += f" · {plain(row.fee)} {row.fee_asset}"
        return at | {"what": "fill", "name": row.symbol, "text": text}
    name = row.info if isinstance(row, Transfer) else row.symbol
    return at | {"what": row.kind, "name": name, "text": f"{plain(row.amount)} {row.asset}"}


def _digest(rows: Sequence[Fill | Transfer | Income]) -> str:
    """Of exactly these rows."""
    found = hashlib.sha256()
    for row in rows:
        line = _line(row)
        found.update("|".join(line.values()).encode())
    return found.hexdigest()


def _say(upload: Upload, state: str) -> None:
    upload.state, upload.done, upload.problem = state, 0, {}
    upload.save(update_fields=["state", "done", "problem", "changed_at"])


def _fail(upload: Upload, error: Bad) -> Upload:
    upload.state, upload.problem = State.FAILED, error.fault.as_json()
    upload.save(update_fields=["state", "problem", "changed_at"])
    log.info("file not taken", upload=upload.pk, code=error.fault.code)
    return upload


def _audit(upload: Upload, user: User | None, action: str) -> None:
    account: ExchangeAccount = upload.account
    AuditEntry.objects.create(
        actor=user, owner=account.user, action=action, subject=str(account.pk),
        why=f"{upload.name} ({upload.rows_taken})"[-120:],
    )  # fmt: skip
