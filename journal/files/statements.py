"""The statement ("transaction history"): every change of every wallet's balance. For many people it
is the only whole export, so that trades are put together from their rows of one second: what was
bought, what was spent, the fee."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby

from journal.checking import MOVED, check_amount
from journal.faults import Bad
from journal.files import operations, together
from journal.files.found import FoundFill, FoundIncome, FoundTransfer, Reading, StatementRow
from journal.files.pairs import Pairs
from journal.files.trades import Row, order_rows

# Legs of one conversion may be written a moment apart.
LEGS_APART = timedelta(seconds=5)
# what has two sides, of which each leaves or brings a coin
TWO_SIDED = {"convert", "dust", "swap"}
TELLER = "statement"


def read(row: Row, pairs: Pairs, reading: Reading) -> None:
    """Kept until the whole file is known."""
    asset, amount = row.needed("coin").upper(), row.number("change")
    operation = row.needed("operation")[:120]
    check_amount(asset=asset, amount=amount, column=MOVED, text=operation)
    wallet = operations.wallet_of(row.text("account"))
    reading.pending.append(StatementRow(row.place(), wallet, operation, asset, amount))


def put_together(reading: Reading, pairs: Pairs) -> None:
    """The rows that `read` kept -> fills, transfers and income."""
    groups: dict[tuple[object, ...], list[StatementRow]] = {}
    for row in reading.pending:
        groups.setdefault((row.place.member, row.place.moment), []).append(row)
    reading.pending = []
    before = len(reading.fills)
    lone: list[FoundTransfer] = []
    for number, rows in enumerate(groups.values()):
        _one_second(rows, number, reading, pairs, lone)
    _join(lone, len(groups))
    reading.transfers += lone
    _order(reading, before)


def _one_second(
    rows: list[StatementRow],
    number: int,
    reading: Reading,
    pairs: Pairs,
    lone: list[FoundTransfer],
) -> None:
    trades: list[StatementRow] = []
    sided: dict[str, list[StatementRow]] = {}
    for row in rows:
        name = operations.plain(row.operation)
        is_trade = name in operations.LEGS | operations.FEES
        kind = operations.kind_of(name, row.amount)
        if row.wallet == "usdm":
            kind = operations.income_of(name)
            reading.incomes.append(FoundIncome(row.place, kind, row.asset, "", row.amount))
        elif row.wallet == "margin" and kind != "internal":
            reading.leave_out(row.place.member, row.place.line, Bad("margin").fault)
        elif row.wallet == "spot" and is_trade:
            trades.append(row)
        elif kind in TWO_SIDED:
            sided.setdefault(kind, []).append(row)
        else:
            reading.transfers.append(_transfer(row, "other" if is_trade else kind))
    fills, others = together.trades_of(trades, pairs)
    reading.fills += fills
    for kind, group in others:
        reading.transfers += _sided(group, kind, number)
    for kind, group in sided.items():
        moves = _sided(group, kind, number)
        (reading.transfers if _has_both(moves) else lone).extend(moves)


def _sided(rows: Iterable[StatementRow], kind: str, group: int) -> list[FoundTransfer]:
    """One conversion: each coin of a wallet once."""
    sums: dict[str, FoundTransfer] = {}
    for row in rows:
        known = sums.get(row.asset)
        if known is None:
            sums[row.asset] = _transfer(row, kind, group)
        else:
            known.amount += row.amount
    return [total for total in sums.values() if total.amount]


def _has_both(rows: list[FoundTransfer]) -> bool:
    return any(row.amount > 0 for row in rows) and any(row.amount < 0 for row in rows)


def _join(lone: list[FoundTransfer], first_free: int) -> None:
    """Legs of one kind within seconds belong together; what stays alone is `other`."""
    lone.sort(key=lambda row: (row.kind, row.place.moment))
    left: FoundTransfer | None = None
    for row in lone:
        if (
            left is not None
            and (left.kind, left.operation) == (row.kind, row.operation)
            and left.amount * row.amount < 0
            and left.asset != row.asset
            and row.place.moment - left.place.moment <= LEGS_APART
        ):
            left.group = row.group = first_free
            first_free += 1
            left = None
        else:
            _leave_alone(left)
            left = row
    _leave_alone(left)


def _leave_alone(row: FoundTransfer | None) -> None:
    if row is not None:
        row.kind, row.group = "other", None


def _transfer(row: StatementRow, kind: str, group: int | None = None) -> FoundTransfer:
    return FoundTransfer(
        row.place, kind, row.asset, row.amount, row.operation, TELLER, row.wallet, group=group
    )


def _order(reading: Reading, before: int) -> None:
    """By their files, each of which runs one way."""
    fills = reading.fills[before:]
    for _member, part in _by_member(fills):
        order_rows(part, newest_first=False)


def _by_member(fills: list[FoundFill]) -> Iterator[tuple[str, list[FoundFill]]]:
    for member, part in groupby(fills, key=lambda fill: fill.place.member):
        yield member, list(part)
