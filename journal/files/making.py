"""Rows of a file -> our rows, unsaved, with the zone that a person chose where the file names none.
Rows that the export gives no id get one from their values, so that another spelling, another range
or the same file again is the same row."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal

from accounts.models import ExchangeAccount
from journal.checking import MOVED, NUMBER, VALUE, fits
from journal.files.found import FoundFill, FoundIncome, FoundTransfer
from journal.models import Fill, Income, Source, Transfer

# A fill without an id of its own: the saving gives it one (journal.sync.likeness).
NAMELESS = 0
FILE = "file-"


def fills(account: ExchangeAccount, rows: Iterable[FoundFill], zone: tzinfo | None) -> list[Fill]:
    """Oldest first, those of one second in their order."""
    ordered = sorted(rows, key=lambda row: (row.place.at(zone), row.rank))
    return [_fill(account, row, row.place.at(zone)) for row in ordered]


def _fill(account: ExchangeAccount, row: FoundFill, time: datetime) -> Fill:
    return Fill(
        account=account,
        market=row.market,
        symbol=row.symbol,
        trade_id=NAMELESS if row.trade_id is None else row.trade_id,
        order_id=row.order_id,
        base=row.base,
        quote=row.quote,
        side=row.side,
        position_side=row.position_side,
        price=fits(row.price, NUMBER),
        quantity=fits(row.quantity, NUMBER),
        quote_quantity=fits(row.value, VALUE),
        fee=fits(row.fee, NUMBER),
        fee_asset=row.fee_asset,
        realized=None if row.realized is None else fits(row.realized, NUMBER),
        is_maker=row.is_maker,
        time=time,
        source=Source.FILE,
        from_statement=row.from_statement,
    )


def transfers(
    account: ExchangeAccount, moves: Sequence[FoundTransfer], zone: tzinfo | None
) -> list[Transfer]:
    groups: dict[object, list[FoundTransfer]] = {}
    for number, row in enumerate(moves):
        is_grouped = row.group is not None
        key = (row.teller, row.place.member, row.group) if is_grouped else number
        groups.setdefault(key, []).append(row)
    seen: Counter[str] = Counter()
    made = []
    for rows in groups.values():
        time = rows[0].place.at(zone)
        name = _digest(*sorted(f"{r.wallet} {r.asset} {_text(r.amount)}" for r in rows), _at(time))
        seen[rows[0].place.member + name] += 1
        count = seen[rows[0].place.member + name]
        external_id = f"{FILE}{rows[0].teller[:12]}-{name[:32]}-{count}"
        made += [_transfer(account, row, row.place.at(zone), external_id) for row in rows]
    return made


def _transfer(
    account: ExchangeAccount, row: FoundTransfer, time: datetime, external_id: str
) -> Transfer:
    return Transfer(
        account=account,
        kind=row.kind,
        external_id=external_id,
        asset=row.asset,
        amount=fits(row.amount, MOVED),
        fee=fits(row.fee, MOVED),
        time=time,
        info=row.operation[:120],
        wallet=row.wallet,
        source=Source.FILE,
    )


def incomes(
    account: ExchangeAccount, rows: Iterable[FoundIncome], zone: tzinfo | None
) -> list[Income]:
    seen: Counter[str] = Counter()
    made = []
    for row in rows:
        time, external_id = row.place.at(zone), row.external_id
        if not external_id:
            name = _digest(row.kind, row.asset, _text(row.amount), _at(time))
            seen[row.place.member + name] += 1
            external_id = f"{FILE}{name[:24]}-{seen[row.place.member + name]}"
        made.append(
            Income(
                account=account,
                kind=row.kind,
                external_id=external_id,
                asset=row.asset,
                symbol=row.symbol,
                amount=fits(row.amount, NUMBER),
                time=time,
                source=Source.FILE,
            )
        )
    return made


def _digest(*words: str) -> str:
    return hashlib.sha256("|".join(words).encode()).hexdigest()


def _text(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%S}"
