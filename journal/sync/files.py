"""Files of futures history that the exchange makes for us: read like any export, but nothing of
them may be left out."""

from collections.abc import Mapping
from datetime import UTC, datetime

from accounts.models import ExchangeAccount
from journal.faults import NotAFile
from journal.files import making
from journal.files.found import Reading
from journal.files.pairs import Pairs
from journal.files.reading import read
from journal.files.tables import Limits
from journal.models import Fill, Income
from market.models import Listing

__all__ = ["NotAFile", "read_fills", "read_income"]


def read_fills(
    account: ExchangeAccount, body: bytes, listings: Mapping[str, Listing]
) -> list[Fill]:
    """All fills of a file that was made for us. Raises NotAFile for a row that is not clear."""
    pairs = {("usdm", name): (row.base_asset, row.quote_asset) for name, row in listings.items()}
    table = _whole(body, pairs)
    return making.fills(account, table.fills, UTC)


def read_income(account: ExchangeAccount, body: bytes) -> list[Income]:
    """Raises NotAFile."""
    table = _whole(body, {})
    return making.incomes(account, table.incomes, UTC)


def _whole(body: bytes, pairs: Pairs) -> Reading:
    """A year of a busy account is large. A file without rows is whole."""
    limits = Limits(bytes=500_000_000, rows=5_000_000, seconds=600.0)
    table = read(body, "", pairs, datetime.now(UTC), limits)
    for left in table.left_out:
        if left.fault.code != "no_data":
            raise NotAFile(left.fault.code, **left.fault.values)
    return table
