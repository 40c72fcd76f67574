"""A user's own exports from Binance: looked at first, then taken in, each row once."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import ExchangeAccount
from journal.models import Fill, Market, Transfer, Upload
from journal.sync import files
from journal.sync.files import Found, NotAFile, Skipped
from journal.sync.saving import save_fills, save_transfers
from market.models import Listing

MOST_BYTES = 20_000_000
SHOWN = 20
FORGOTTEN_AFTER = timedelta(hours=2)
# What the API has told already of the same moment is the same thing.
NEAR = timedelta(seconds=2)


@dataclass(frozen=True)
class Preview:
    """`kind` is spot, usdm or statement; `new` of the rows are not known yet."""

    kind: str
    new: int
    duplicates: int
    skipped: list[Skipped]
    first: list[Fill | Transfer]


def upload(*, account: ExchangeAccount, name: str, body: bytes) -> Upload:
    """Kept for two hours. Raises NotAFile."""
    if not body:
        raise NotAFile("expected a file that is not empty")
    if len(body) > MOST_BYTES:
        raise NotAFile("expected a file of at most 20 MB")
    Upload.objects.filter(created_at__lt=timezone.now() - FORGOTTEN_AFTER).delete()
    Upload.objects.filter(account=account).delete()
    return Upload.objects.create(account=account, name=name[:120], body=body)


def preview(row: Upload) -> Preview:
    """Raises NotAFile."""
    kind, found, known = _read(row)
    rows: list[Any] = [*found.fills, *found.transfers]
    return Preview(kind, len(rows), known, found.skipped, rows[:SHOWN])


@transaction.atomic
def take_in(row: Upload) -> int:
    """Returns how many rows were new. Raises NotAFile, then nothing has changed."""
    _, found, _ = _read(row)
    count = len(save_fills(row.account, found.fills))
    count += save_transfers(row.account, found.transfers)
    row.delete()
    return count


def _read(row: Upload) -> tuple[str, Found, int]:
    """(kind, what is new, how many are known already)"""
    listings = {
        market: {
            item.symbol: item
            for item in Listing.objects.filter(venue=row.account.venue, market=market)
        }
        for market in Market.values
    }
    kind, found = files.read_export(row.account, bytes(row.body), listings)
    fills = _new_fills(row.account, found.fills)
    transfers = _new_transfers(row.account, found.transfers)
    known = len(found.fills) - len(fills) + len(found.transfers) - len(transfers)
    return kind, Found(fills, transfers, found.skipped), known


def _new_fills(account: ExchangeAccount, rows: list[Fill]) -> list[Fill]:
    """By trade id; spot's export has none, so there by symbol, side, price, quantity and time, as
    often as they are known."""
    if not rows:
        return []
    start, end = min(row.time for row in rows) - NEAR, max(row.time for row in rows) + NEAR
    mine = Fill.objects.filter(account=account, time__gte=start, time__lte=end)
    same = Fill.objects.filter(account=account, trade_id__in=[row.trade_id for row in rows])
    ids = set(same.values_list("market", "symbol", "trade_id"))
    told: Counter[tuple[Any, ...]] = Counter()
    for fill in mine.filter(trade_id__gt=0):
        told[_likeness(fill)] += 1
    fresh = []
    for row in rows:
        if (row.market, row.symbol, row.trade_id) in ids:
            continue
        if row.trade_id < 0 and told[_likeness(row)]:
            told[_likeness(row)] -= 1
            continue
        fresh.append(row)
    return fresh


def _new_transfers(account: ExchangeAccount, rows: list[Transfer]) -> list[Transfer]:
    """What the API told has other ids: the same asset and amount within a day is the same."""
    if not rows:
        return []
    known = set(
        Transfer.objects.filter(
            account=account, external_id__in=[row.external_id for row in rows]
        ).values_list("external_id", flat=True)
    )
    day = timedelta(days=1)
    told: dict[tuple[str, Any], list[Any]] = {}
    start, end = min(row.time for row in rows) - day, max(row.time for row in rows) + day
    for found in Transfer.objects.filter(account=account, time__gte=start, time__lte=end).exclude(
        source="file"
    ):
        told.setdefault((found.asset, found.amount.normalize()), []).append(found.time)
    fresh = []
    for row in rows:
        near = told.get((row.asset, row.amount.normalize()), [])
        same = next((at for at in near if abs(at - row.time) <= day), None)
        if row.external_id in known:
            continue
        if same is not None:
            near.remove(same)
            continue
        fresh.append(row)
    return fresh


def _likeness(fill: Fill) -> tuple[Any, ...]:
    second = fill.time.replace(microsecond=0)
    return (fill.symbol, fill.side, fill.price.normalize(), fill.quantity.normalize(), second)
