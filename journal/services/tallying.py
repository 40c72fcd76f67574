"""What a file has brought: how many rows, what they change, and a digest of exactly them."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from journal.models import Fill, Income, ManualFill, Market, Transfer
from journal.sync.witnesses import Kept
from lib.decimals import plain

SHOWN = 20
Row = Fill | Transfer | Income


class Tally:
    """Takes rows as they come and keeps none of them."""

    def __init__(self) -> None:
        self.rows = 0
        # rows that these took the place of: told less well, by hand or by another file
        self.gone: list[Kept] = []
        self.replaced = 0
        # the first rows, as text
        self.sample: list[dict[str, str]] = []
        # (wallet, coin or contract) -> what it holds more or less
        self._sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        # (operation, coin) that no rule knows -> what it moved
        self._unknown: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self._digest = hashlib.sha256()

    def add(self, rows: Sequence[Row]) -> None:
        """And what has gone for them."""
        for row in rows:
            line = _line(row)
            self._digest.update("|".join(line.values()).encode())
            if self.rows < SHOWN:
                self.sample.append(line)
            self.rows += 1
            self._move(row, 1)
        for lost in self.gone:
            self._digest.update(f"gone|{lost}".encode())
            self._move(lost, -1)
        self.replaced += len(self.gone)
        self.gone.clear()

    def digest(self) -> str:
        return self._digest.hexdigest()

    def changes(self) -> list[tuple[str, str, str]]:
        """(wallet, coin or contract, signed amount)"""
        return [(*key, plain(total)) for key, total in sorted(self._sums.items()) if total]

    def unknown(self) -> list[tuple[str, str, str]]:
        """(operation, coin, signed amount) of what is kept as `other`"""
        return [(*key, plain(total)) for key, total in sorted(self._unknown.items()) if total]

    def _move(self, row: Kept, times: int) -> None:
        """`times` is 1 for what came, -1 for what has gone."""
        if isinstance(row, Transfer):
            self._sums[row.wallet, row.asset] += times * row.amount
            if row.kind == Transfer.Kind.OTHER:
                self._unknown[row.info, row.asset] += times * row.amount
        elif isinstance(row, Income):
            self._sums[Market.USDM.value, row.asset] += times * row.amount
        else:
            self._trade(row, times if row.side == "BUY" else -times)
            if row.fee and row.market == Market.SPOT:
                self._sums["spot", row.fee_asset] -= times * row.fee

    def _trade(self, row: Fill | ManualFill, sign: int) -> None:
        if row.market != Market.SPOT:
            self._sums[row.market, row.symbol] += sign * row.quantity
            return
        value = row.quote_quantity if isinstance(row, Fill) else row.price * row.quantity
        self._sums["spot", row.base] += sign * row.quantity
        self._sums["spot", row.quote] -= sign * value


def _line(row: Row) -> dict[str, str]:
    at = {"time": row.time.isoformat()}
    if isinstance(row, Fill):
        text = f"{row.side} {plain(row.quantity)} {row.base} · {plain(row.price)} {row.quote}"
        if row.fee:
            text += f" · {plain(row.fee)} {row.fee_asset}"
        return at | {"what": "fill", "name": row.symbol, "text": text}
    name = row.info if isinstance(row, Transfer) else row.symbol
    return at | {"what": row.kind, "name": name, "text": f"{plain(row.amount)} {row.asset}"}
