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
from journal.sync.windows import DAY_MS, pieces, read_window, read_windows, windows_left
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
MOST_PAGES = 100
# Distributions are told so many at once.
MOST_CREDITS = 500
MOST_ANSWERS = 2000
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


def read_again(run: Run, row: Coverage) -> int:
    """All windows of a coverage once more, as far back as they were read and the exchange tells of
    them. Returns how many rows were not known."""
    run.say(TEXTS[row.kind])
    days, ask = (CHEAP | DEAR)[row.kind]
    first = to_ms(row.from_time) if row.from_time else run.now_ms
    if row.kind == Kind.TRANSFERS:
        first = max(first, run.now_ms - TRANSFERS_KEPT_MS)
    save = partial(save_transfers, run.account)
    stretches = pieces(first, run.now_ms, days * DAY_MS)
    return sum(read_window(row, partial(ask, run), save, *stretch) for stretch in stretches)


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
    """Goes on behind what was told until an answer has nothing new: a short page is no end."""
    ids: set[str] = set()
    for _page in range(MOST_PAGES):
        page = run.reader.read(path, startTime=start, endTime=end, offset=len(ids), limit=PAGE)
        fresh = {str(row["id"]): row for row in page if str(row["id"]) not in ids}
        if not fresh:
            return
        yield from fresh.values()
        ids |= fresh.keys()


def _converts(run: Run, start: int, end: int) -> list[Transfer]:
    answer = run.reader.read("/sapi/v1/convert/tradeFlow", startTime=start, endTime=end, limit=PAGE)
    if answer.get("moreData") and end - start > SHORTEST_MS:  # there is no cursor
        middle = (start + end) // 2
        return [*_converts(run, start, middle), *_converts(run, middle + 1, end)]
    return [half for row in answer["list"] for half in rows.converts(run.account, row)]


def _dividends(run: Run, start: int, end: int) -> list[Transfer]:
    dividends = [rows.dividend(run.account, row) for row in _credits(run, start, end)]
    _forget_credits(run, [row.external_id for row in dividends if row.amount < 0])
    return dividends


def _credits(run: Run, start: int, end: int) -> list[Any]:
    """There is no cursor, and no order is promised: what lies before the oldest and behind the
    newest row of an answer is asked for again until nothing there is new; a full answer in
    halves."""
    credits: dict[tuple[Any, ...], Any] = {}
    stretches = [(start, end)]
    for _answer in range(MOST_ANSWERS):
        if not stretches:
            break
        first, last = stretches.pop()
        answer = run.reader.read(
            "/sapi/v1/asset/assetDividend", startTime=first, endTime=last, limit=MOST_CREDITS
        )
        page = {_name_of(row): row for row in answer["rows"]}
        is_new = not page.keys() <= credits.keys()
        credits |= page
        if len(page) >= MOST_CREDITS and last - first > SHORTEST_MS:
            middle = (first + last) // 2
            stretches += [(first, middle), (middle + 1, last)]
        elif is_new:
            times = [int(row["divTime"]) for row in page.values()]
            oldest, newest = min(times), max(times)
            # a page may end within a moment; one that is a single moment cannot be cut finer
            step = 1 if oldest == newest else 0
            around = [(first, oldest - step), (newest + step, last)]
            stretches += [(low, high) for low, high in around if low < high]
    return list(credits.values())


def _name_of(row: Any) -> tuple[Any, ...]:
    """Several payouts may share one number."""
    return row.get("id"), row.get("tranId"), row["asset"], row["amount"], row["divTime"]


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
