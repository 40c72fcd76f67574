"""Rows of one door into what other doors told: what is new is inserted, what the exchange itself
tells takes the place of a file's row (which keeps its number, so that notes stay), and every row
that loses is kept as a witness. The caller holds the account's lock."""

from collections.abc import Sequence
from copy import copy

from django.utils import timezone

from accounts.models import ExchangeAccount
from journal.books.bulk import insert, update
from journal.files.making import FILE, NAMELESS
from journal.models import Fill, Income, ManualFill, Market, Source, Transfer, Upload, Witness
from journal.sync import likeness
from journal.sync.likeness import is_brought
from journal.sync.witnesses import Kept, keep, witness

# What the exchange's own row says better than a file's.
TOLD = (
    "trade_id",
    "order_id",
    "position_side",
    "quote_quantity",
    "fee",
    "fee_asset",
    "realized",
    "is_maker",
    "time",
    "source",
    "from_statement",
    "upload",
)


def merge_fills(
    account: ExchangeAccount, rows: Sequence[Fill], upload: Upload | None, gone: list[Kept]
) -> list[Fill]:
    """Returns those that were not known, saved; adds to `gone` what they took the place of."""
    named = list(
        {(r.market, r.symbol, r.trade_id): r for r in rows if r.trade_id != NAMELESS}.values()
    )
    nameless = [row for row in rows if row.trade_id == NAMELESS]
    witnesses: list[Witness] = []
    # fills of the statement in seconds that are told singly now
    summed: dict[int, Fill] = {}
    fresh = _merge_named(account, named, upload, witnesses, summed, gone)
    for from_statement in (False, True):  # the statement's last: it may stand for all of a second
        part = [row for row in nameless if row.from_statement == from_statement]
        fresh += _merge_nameless(account, part, upload, witnesses, summed)
    losers = _lose(account, fresh, witnesses, summed)
    keep(witnesses)
    gone += losers
    for model in (Fill, ManualFill, Transfer):
        ids = [row.pk for row in losers if isinstance(row, model)]
        if ids:
            model.objects.filter(pk__in=ids).delete()
    return fresh


def _merge_named(
    account: ExchangeAccount,
    rows: list[Fill],
    upload: Upload | None,
    witnesses: list[Witness],
    summed: dict[int, Fill],
    gone: list[Kept],
) -> list[Fill]:
    """By id; else in the place of an equal row without one; else new."""
    known = _by_id(account, rows)
    unknown, corrected = [], []
    for row in rows:
        old = known.get((row.market, row.symbol, row.trade_id))
        if old is None:
            unknown.append(row)
        elif row.source != Source.FILE and old.source == Source.FILE:
            corrected.append((row, old))
        elif upload is not None and old.upload_id != upload.pk:
            witnesses.append(witness(row, old, upload))
    told = [*unknown, *(row for row, _old in corrected)]
    if told:
        near = likeness.known_fills(account, told, trade_id__lt=0)
        summed |= {row.pk: row for row in near if row.from_statement}
        single = [row for row in near if not row.from_statement]
        corrected += likeness.pair_up(unknown, single, likeness.of_fill)
    replaced = {id(row) for row, _old in corrected}
    fresh = [row for row in unknown if id(row) not in replaced]
    _insert(fresh)
    for row, old in corrected:
        witnesses.append(witness(old, old, old.upload_id))
        gone.append(copy(old))
        for name in TOLD:
            setattr(old, name, getattr(row, name))
        row.pk = old.pk
    update([old for _row, old in corrected], TOLD)
    return fresh + [row for row, _old in corrected]


def _insert(fills: Sequence[Fill]) -> None:
    now = timezone.now()
    for row in fills:
        row.flow_due_at = now
    insert(fills)


def _by_id(account: ExchangeAccount, rows: list[Fill]) -> dict[tuple[str, str, int], Fill]:
    known: dict[tuple[str, str, int], Fill] = {}
    for market in {row.market for row in rows}:
        ids = [row.trade_id for row in rows if row.market == market]
        for start in range(0, len(ids), 10_000):
            fills = Fill.objects.filter(
                account=account, market=market, trade_id__in=ids[start : start + 10_000]
            )
            known |= {(row.market, row.symbol, row.trade_id): row for row in fills}
    return known


def _merge_nameless(
    account: ExchangeAccount,
    rows: list[Fill],
    upload: Upload | None,
    witnesses: list[Witness],
    summed: dict[int, Fill],
) -> list[Fill]:
    """By likeness; a fill of the statement also by all fills of its second."""
    if not rows:
        return []
    known = likeness.known_fills(account, rows)
    single = [row for row in known if not row.from_statement]
    stated = [row for row in known if row.from_statement]
    seconds = {likeness.of_second(row): row for row in single}
    if rows[0].from_statement:
        twins = likeness.pair_up(rows, stated, likeness.of_fill)
    else:
        twins = likeness.pair_up(rows, single, likeness.of_fill)
        summed |= {row.pk: row for row in stated}
    winners = {id(row): old for row, old in twins}
    fresh = []
    for row in rows:
        winner = winners.get(id(row))
        if winner is None and row.from_statement:
            winner = seconds.get(likeness.of_second(row))
        if winner is None:
            fresh.append(row)
        elif upload is not None:
            witnesses.append(witness(row, winner, upload))
    likeness.give_ids(account, fresh)
    _insert(fresh)
    return fresh


def _lose(
    account: ExchangeAccount, fresh: list[Fill], witnesses: list[Witness], summed: dict[int, Fill]
) -> list[Fill | ManualFill | Transfer]:
    """Rows that go, since what is new tells the same: those made by hand, and the statement's."""
    if not fresh:
        return []
    losers: list[Fill | ManualFill | Transfer] = []
    for row, made in likeness.pair_up(
        [*fresh], likeness.known_by_hand(account, fresh), likeness.of_fill
    ):
        witnesses.append(witness(made, row, None))
        losers.append(made)
    for leg, row in likeness.legs_of(account, fresh):
        Witness.objects.filter(transfer=leg).update(transfer=None, fill=row)
        witnesses.append(witness(leg, row, leg.upload_id))
        losers.append(leg)
    seconds = {likeness.of_second(row): row for row in fresh if not row.from_statement}
    for old in summed.values():
        winner = seconds.get(likeness.of_second(old))
        if winner is None:
            continue  # nothing of it is new
        Witness.objects.filter(fill=old).update(fill=winner)
        witnesses.append(witness(old, winner, old.upload_id))
        losers.append(old)
    return losers


# --- transfers ----------------------------------------------------------------------------------


def merge_transfers(
    account: ExchangeAccount, rows: Sequence[Transfer], upload: Upload | None
) -> tuple[list[Transfer], list[Transfer]]:
    """(those that were not known, saved; those of files that they took the place of)"""
    known = {
        (row.external_id, row.asset, row.wallet if is_brought(row) else ""): row
        for row in Transfer.objects.filter(
            account=account, external_id__in={row.external_id for row in rows}
        )
    }
    kinds = {(row.kind, row.external_id, row.asset) for row in known.values()}
    witnesses: list[Witness] = []
    unknown: dict[tuple[str, str, str], Transfer] = {}
    for row in rows:
        if is_brought(row):
            old = known.get((row.external_id, row.asset, row.wallet))
            if old is not None:
                if upload is not None and old.upload_id != upload.pk:
                    witnesses.append(witness(row, old, upload))
                continue
        if (row.kind, row.external_id, row.asset) not in kinds:
            unknown.setdefault((row.kind, row.external_id, row.asset), row)
    for leg, fill in _told_by_fills(account, list(unknown.values())):
        del unknown[leg.kind, leg.external_id, leg.asset]
        if upload is not None:
            witnesses.append(witness(leg, fill, upload))
    near = _near(account, list(unknown.values()))
    pairs = likeness.nearest(list(unknown.values()), near)
    pairs += likeness.batches(list(unknown.values()), near, pairs)
    gone = [old for row, old in pairs if not is_brought(row)]
    lost = {id(row) for row, _old in pairs if is_brought(row)}
    fresh = [row for row in unknown.values() if id(row) not in lost]
    insert(fresh)
    for row, old in pairs:
        if is_brought(row):
            if upload is not None:
                witnesses.append(witness(row, old, upload))
        else:
            Witness.objects.filter(transfer=old).update(transfer=row)
            witnesses.append(witness(old, row, old.upload_id))
    keep(witnesses)
    Transfer.objects.filter(pk__in={old.pk for old in gone}).delete()
    return fresh, gone


def _told_by_fills(account: ExchangeAccount, rows: list[Transfer]) -> list[tuple[Transfer, Fill]]:
    """Legs of trades that a statement could not put together, and that a trade history has told."""
    legs = [row for row in rows if likeness.is_leg(row)]
    if not legs:
        return []
    times = [row.time for row in legs]
    fills = Fill.objects.filter(
        account=account,
        market=Market.SPOT,
        from_statement=False,
        time__gte=likeness.second_of(min(times)),
        time__lt=likeness.second_of(max(times)) + likeness.SECOND,
    )
    return likeness.told_by_fills(legs, list(fills))


def _near(account: ExchangeAccount, rows: list[Transfer]) -> list[Transfer]:
    """What files told, for rows of the exchange; everything, for a file's."""
    if not rows:
        return []
    times = [row.time for row in rows]
    transfers = Transfer.objects.filter(
        account=account,
        time__gte=min(times) - likeness.MINUTES_APART,
        time__lte=max(times) + likeness.MINUTES_APART,
        asset__in={row.asset for row in rows},
    )
    if not any(is_brought(row) for row in rows):
        transfers = transfers.filter(external_id__startswith=FILE)
    return list(transfers)


# --- income -------------------------------------------------------------------------------------


def merge_income(
    account: ExchangeAccount, rows: Sequence[Income], upload: Upload | None
) -> tuple[list[Income], list[Income]]:
    """By id; lines of a statement, which have none, by kind, coin, amount and second. As
    `merge_transfers` answers."""
    known = {
        (row.kind, row.external_id, row.asset): row
        for row in Income.objects.filter(
            account=account, external_id__in={row.external_id for row in rows}
        )
    }
    witnesses: list[Witness] = []
    unknown: dict[tuple[str, str, str], Income] = {}
    for row in rows:
        key = row.kind, row.external_id, row.asset
        if key not in known:
            unknown.setdefault(key, row)
        elif upload is not None and known[key].upload_id != upload.pk:
            witnesses.append(witness(row, known[key], upload))
    nameless = [row for row in unknown.values() if _is_nameless(row)]
    named = [row for row in unknown.values() if not _is_nameless(row)]
    near = _incomes_near(account, list(unknown.values()))
    told = likeness.pair_up(nameless, [r for r in near if not _is_nameless(r)], likeness.of_income)
    better = likeness.pair_up(named, [r for r in near if _is_nameless(r)], likeness.of_income)
    lost = {id(row) for row, _old in told}
    fresh = [row for row in unknown.values() if id(row) not in lost]
    insert(fresh)
    if upload is not None:
        witnesses += [witness(row, old, upload) for row, old in told]
    for row, old in better:
        Witness.objects.filter(income=old).update(income=row)
        witnesses.append(witness(old, row, old.upload_id))
    keep(witnesses)
    Income.objects.filter(pk__in={old.pk for _row, old in better}).delete()
    return fresh, [old for _row, old in better]


def _is_nameless(row: Income) -> bool:
    return row.external_id.startswith(FILE)


def _incomes_near(account: ExchangeAccount, rows: list[Income]) -> list[Income]:
    if not rows:
        return []
    times = [row.time for row in rows]
    return list(
        Income.objects.filter(
            account=account,
            time__gte=likeness.second_of(min(times)),
            time__lt=likeness.second_of(max(times)) + likeness.SECOND,
            kind__in={row.kind for row in rows},
        )
    )
