"""The money rules as a small reference: exact fractions, slow, of no other code (money.md).

`evaluate(case, method)` takes a history in the shape of money.md §8 and answers what
`try_history` answers, with the items of the identity (§6) beside. More keys of a case:
`converts` [[id, given, amount, got, amount, time]]; `swaps` (the same, by the exchange);
`opening` [[coin, amount, time]] (§4.1); `prices` {coin: [[time, price]]}; `position_entry` like
`position_now`; `keep` [[symbol, id]] (§3.6); a transfer of kind `network_fee`; `dribblet` a batch
or a list of them.
"""

from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.money.futures import Futures
from tests.money.ledger import Ledger
from tests.money.lots import ZERO
from tests.money.rows import Change, Fill, Flow, moment, read
from tests.money.rules import Rules

METHODS = ("fifo", "lifo", "hifo", "average")
Result = dict[str, Any]


class View:
    """One history, once through the books."""

    def __init__(
        self,
        case: dict[str, Any],
        method: str,
        *,
        is_tax: bool,
        since_rules: dict[str, list[list[str]]] | None,
    ) -> None:
        rows = read(case)
        self.ledger = Ledger(case, method, is_tax=is_tax, rules=Rules(case, since_rules))
        self.futures = Futures(case, rows, self.ledger)
        for row in rows:
            if isinstance(row, Fill) and row.market == "usdm":
                self.futures.fill(row)
            elif isinstance(row, Fill):
                self.ledger.fill(row)
            elif isinstance(row, Change):
                self.ledger.change(row)
            elif isinstance(row, Flow):
                self.ledger.flow(row)
            else:
                self.futures.pay(row)
        for _, _, coin, _, _, info in case.get("transfers", []):
            if "MARGIN" in str(info):
                self.ledger.complain("margin_not_supported", coin)
        self.end = last_moment(case)
        self.unrealised = self.futures.unrealised + self._unrealised_coins()

    def _unrealised_coins(self) -> Fraction:
        """§2.2: after the entry fees of what is still held."""
        total = ZERO
        for coin, book in self.ledger.coins.items():
            if book.quantity:
                price = self.ledger.price(coin, self.end) or ZERO
                for heap in (book.held, book.stack):
                    total += price * heap.quantity - heap.cost - heap.fee
        return total


def evaluate(
    case: dict[str, Any],
    method: str = "fifo",
    *,
    since_rules: dict[str, list[list[str]]] | None = None,
) -> Result:
    """Every sum in dollars. `since_rules` {symbol: [[time, step, minimum notional]]} (§3.4)."""
    view = View(case, method, is_tax=False, since_rules=since_rules)
    tax = View(case, method, is_tax=True, since_rules=since_rules)
    ledger, wallet = view.ledger, view.ledger.wallet
    coins = ledger.coins.items()
    for coin, book in coins:
        assert book.quantity == wallet.quantities[coin], f"lots of {coin} are not its quantity"
    listed = [trade for trade in ledger.closed if not trade.is_apart]
    return {
        "trades": [trade.row for trade in listed],
        "stack": {coin: book.stack.quantity for coin, book in coins if book.stack.quantity},
        "open": {coin: book.held.quantity for coin, book in coins if book.held.quantity}
        | view.futures.open,
        "net": ledger.realised,
        "apart": ledger.apart,
        "tax_net": tax.ledger.realised,
        "unrealised": view.unrealised,
        "tax_unrealised": tax.unrealised,
        "income": wallet.income,
        "deposits": wallet.deposits,
        "withdrawals": wallet.withdrawals,
        "opening": wallet.opening,
        "currency_effect": wallet.currency_effect(ledger.prices, view.end),
        "worth": wallet.worth(ledger.prices, view.end) + view.futures.floating,
        "problems": [kind for kind, _ in ledger.problems],
        "problem_list": list(ledger.problems),
        "reasons": list(ledger.reasons),
    }


def last_moment(case: dict[str, Any]) -> datetime:
    """§8: the moment is the last row's."""
    places = {
        "spot": 7,
        "usdm": 7,
        "transfers": 4,
        "income": 5,
        "dividends": 2,
        "opening": 2,
        "converts": 5,
        "swaps": 5,
    }
    times = [moment(row[at]) for key, at in places.items() for row in case.get(key, [])]
    batches = case.get("dribblet", [])
    for batch in [batches] if isinstance(batches, dict) else batches:
        times += [moment(row["operateTime"]) for row in batch["userAssetDribbletDetails"]]
    return max(times)
