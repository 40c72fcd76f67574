"""What moved spot balances without an order: deposits, withdrawals, dust, converts, distributions,
transfers between wallets (binance.md 3.5)."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from django.db.models import Min, Q
from django.utils.translation import gettext_noop as _

from journal.files.making import FILE
from journal.models import Coverage, Fill, Income, Market, Transfer
from journal.sync import rows
from journal.sync.run import Run
from journal.sync.saving import remove_transfers, save_transfers
from journal.sync.windows import DAY_MS, read_windows, windows_left
from lib.dates import from_ms, to_ms

Kind = Coverage.Kind
PAGE = 1000
TEXTS: dict[str, str] = {
    Kind.DEPOSITS: _("Reading deposits"),
    Kind.WITHDRAWALS: _("Reading withdrawals"),
    Kind.CONVERTS: _("Reading converts"),
    Kind.DIVIDENDS: _("Reading distributions"),
    Kind.TRANSFERS: _("Reading transfers between wallets"),
    Kind.DUST: _("Reading dust that became BNB"),
}
# A page that cannot be turned is asked for again in halves, down to this.
SHORTEST_MS = 1000
# Wallets that a spot balance comes from and goes to.
DIRECTIONS = (
    "MAIN_UMFUTURE",
    "UMFUTURE_MAIN",
    "MAIN_CMFUTURE",
    "CMFUTURE_MAIN",
    "MAIN_MARGIN",
    "MARGIN_MAIN",
    "MAIN_FUNDING",
    "FUNDING_MAIN",
    "MAIN_OPTION",
    "OPTION_MAIN",
)
Kinds = dict[str, tuple[int, Callable[[Run, int, int], list[Transfer]]]]
BEFORE_MS = 90 * DAY_MS
# A deposit may be credited, and a withdrawal fail, long after it began.
LATE_MS = 30 * DAY_MS
# Binance answers transfers of the last six months; older ones are told by futures income.
TRANSFERS_KEPT_MS = 179 * DAY_MS
# Binance's dust list goes back to here, and holds at most a hundred batches.
DUST_FROM_MS = 1_606_780_800_000
DUST_MOST = 100


def read_cheap(run: Run) -> None:
    """What comes in, mostly: asked for back to the day that its owner wants."""
    _read(run, CHEAP, run.since_ms)
    _read_dust(run, run.coverage(Kind.DUST, Market.SPOT))


def read_dear(run: Run) -> None:
    """What goes out, which Binance counts dearly. Nothing can go out before something came in, so
    these begin a while before the first of all that is known."""
    _read(run, DEAR, max(run.since_ms, _first_ms(run) - BEFORE_MS))


def _read(run: Run, kinds: Kinds, since_ms: int) -> None:
    floors = dict.fromkeys(kinds, since_ms)
    if Kind.TRANSFERS in floors:
        floors[Kind.TRANSFERS] = max(since_ms, run.now_ms - TRANSFERS_KEPT_MS)
    covered = {kind: run.coverage(kind, Market.SPOT) for kind in kinds}
    left = {
        kind: windows_left(run, covered[kind], days, floors[kind])
        for kind, (days, _ask) in kinds.items()
    }
    for kind, (days, ask) in kinds.items():
        run.say(TEXTS[kind], sum(left.values()))
        left[kind] = 0
        save = partial(save_transfers, run.account)
        read_windows(
            run,
            covered[kind],
            days,
            partial(ask, run),
            save,
            floor_ms=floors[kind],
            overlap_ms=LATE_MS,
        )


def _first_ms(run: Run) -> int:
    mine = {"account": run.account}
    firsts = [
        rows.aggregate(first=Min("time"))["first"]
        for rows in (Transfer.objects.filter(**mine), Fill.objects.filter(**mine))
    ]
    return min((to_ms(first) for first in firsts if first is not None), default=run.now_ms)


def _deposits(run: Run, start: int, end: int) -> list[Transfer]:
    return _known(
        rows.deposit(run.account, row)
        for row in _by_offset(run, "/sapi/v1/capital/deposit/hisrec", start, end)
    )


def _withdrawals(run: Run, start: int, end: int) -> list[Transfer]:
    """One that was booked and has failed since is taken out again."""
    page = list(_by_offset(run, "/sapi/v1/capital/withdraw/history", start, end))
    failed = [str(row["id"]) for row in page if row["status"] in rows.ENDED]
    remove_transfers(run.account, "withdrawal", failed)
    return _known(rows.withdrawal(run.account, row) for row in page)


def _by_offset(run: Run, path: str, start: int, end: int) -> Iterable[Any]:
    for number in range(100):
        page = run.reader.read(path, startTime=start, endTime=end, offset=number * PAGE, limit=PAGE)
        yield from page
        if len(page) < PAGE:
            return


def _converts(run: Run, start: int, end: int) -> list[Transfer]:
    answer = run.reader.read("/sapi/v1/convert/tradeFlow", startTime=start, endTime=end, limit=PAGE)
    if answer.get("moreData") and end - start > SHORTEST_MS:  # there is no cursor
        middle = (start + end) // 2
        return [*_converts(run, start, middle), *_converts(run, middle + 1, end)]
    return [half for row in answer["list"] for half in rows.converts(run.account, row)]


def _dividends(run: Run, start: int, end: int) -> list[Transfer]:
    answer = run.reader.read(
        "/sapi/v1/asset/assetDividend", startTime=start, endTime=end, limit=500
    )
    if len(answer["rows"]) >= 500 and end - start > SHORTEST_MS:
        middle = (start + end) // 2
        return [*_dividends(run, start, middle), *_dividends(run, middle + 1, end)]
    dividends = [rows.dividend(run.account, row) for row in answer["rows"]]
    _forget_credits(run, [row.external_id for row in dividends if row.amount < 0])
    return dividends


def _forget_credits(run: Run, taken_back: list[str]) -> None:
    """Distributions that were kept as paid before anybody read that they were taken back."""
    wrong = Transfer.objects.filter(
        account=run.account, kind="dividend", external_id__in=taken_back, amount__gt=0
    )
    if names := list(wrong.values_list("external_id", flat=True)):
        remove_transfers(run.account, "dividend", names)


def _internals(run: Run, start: int, end: int) -> list[Transfer]:
    transfers: list[Transfer | None] = []
    for direction in DIRECTIONS:
        for number in range(1, 101):
            answer = run.reader.read(
                "/sapi/v1/asset/transfer",
                type=direction,
                startTime=start,
                endTime=end,
                current=number,
                size=100,
            )
            page = answer.get("rows") or []
            transfers += [rows.internal(run.account, row) for row in page]
            if len(page) < 100:
                break
    return _known(transfers)


# kind -> (days a window, what asks for one)
CHEAP: Kinds = {
    Kind.DEPOSITS: (90, _deposits),
    Kind.DIVIDENDS: (180, _dividends),
    Kind.TRANSFERS: (180, _internals),
}
DEAR: Kinds = {Kind.WITHDRAWALS: (90, _withdrawals), Kind.CONVERTS: (30, _converts)}


def derive_older(run: Run) -> None:
    """Transfers between spot and futures that Binance does not tell of any more: the futures
    wallet's own lines name the same transaction."""
    row = run.coverage(Kind.TRANSFERS, Market.SPOT)
    if row.from_time is None:
        return
    unread = Q(time__lt=row.from_time)
    for start, end in row.holes:
        unread |= Q(time__gte=from_ms(start), time__lt=from_ms(end))
    older = Income.objects.filter(unread, account=run.account, kind="TRANSFER")
    # a statement tells both sides itself
    older = older.exclude(external_id__startswith=FILE)
    transfers = [
        Transfer(
            account=run.account,
            kind=Transfer.Kind.INTERNAL,
            external_id=item.external_id,
            asset=item.asset,
            amount=-item.amount,
            time=item.time,
            info="UMFUTURE",
            source=item.source,
        )
        for item in older
    ]
    if save_transfers(run.account, transfers) and not row.holes:
        row.note = "six_months"
        row.save(update_fields=["note"])


def _read_dust(run: Run, row: Coverage) -> None:
    """One call tells all that Binance still knows."""
    run.say(TEXTS[Kind.DUST])
    answer = run.reader.read("/sapi/v1/asset/dribblet", startTime=DUST_FROM_MS, endTime=run.now_ms)
    batches = answer["userAssetDribblets"]
    halves = [half for batch in batches for half in rows.dust(run.account, batch)]
    row.rows += save_transfers(run.account, halves)
    row.oldest = min((item.time for item in halves), default=None)
    row.from_time = row.oldest if len(batches) >= DUST_MOST else from_ms(DUST_FROM_MS)
    row.to_time = row.checked_at = run.now
    row.is_complete = True
    row.note = "dust_hundred" if len(batches) >= DUST_MOST else ""
    row.save()


def _known(transfers: Iterable[Transfer | None]) -> list[Transfer]:
    return [row for row in transfers if row is not None]
