"""The money rules as a small reference: exact fractions, slow, of no other code (money.md).

`evaluate(case, method)` takes a history in the shape of money.md §8 and answers what
`try_history` answers, with the items of the identity (§6) beside. More keys of a case:
`converts` [[id, given, amount, got, amount, time]]; `swaps` (the same, by the exchange);
`opening` [[coin, amount, time]] (§4.1); `prices` {coin: [[time, price]]}; `position_entry` like
`position_now`; `keep` [[symbol, id]] (§3.6); a transfer of kind `network_fee`; `dribblet` a batch
or a list of them.

Readings, where money.md leaves a choice (sections in brackets):

1. Cash has no shortfall: its balance may be below zero, without Problem or deposit [2.7].
2. A shortfall comes in at the unit worth of the event that needs it, so its match is 0 less fee.
3. Dust: `transferedAmount` is net of the service charge, which is counted nowhere else [2.1].
4. Own fills of spot alone tell prices, conversions and contracts none; a fill in a coin sets the
   price of its base in dollars of that moment (of its quote where only the base had one) [1.3].
5. `price` is never old. Without it `missing_price` rises for whatever is asked an hour after the
   coin's last fill, the end included; of what has no price at all there is a reason, no Problem.
6. A contract's price at the end is `price` of its symbol or coin, else its own last fill's [8].
7. In a fill the given side leaves, then the got one comes, then a fee in another coin leaves. A
   coin of the fill pays fees at the fill's own price, a dollar 1:1 [2.3].
8. Fills and conversions between cash are matches of kind `exchange`, in no trade [2.5].
9. At one instant a negative payment counts with the withdrawals; pairs that bring to each other
   go by name; fees ask for their coin as spending does [1.4].
10. Lots of one time stand by their order of arrival, as deposits have no comparable id [4.4].
11. HIFO of a short: the highest entry with its fee added, as of a long [4.4].
12. The newest fill of a trade is the newest event with lots or matches in it, fees too [3.6].
13. Only a sale has "the exit's pair"; spending, fees, conversions ask the last pair of the trade.
    Minimum notional is of the quote. Checked after exits that took from the trade itself [3.4].
14. `apart` sums matches from unknown lots (`average`: by share); a trade with above 1 % of such
    quantity is not listed. Funding and fees of such a trade are not apart [4.4].
15. A trade that ends by a withdrawal is listed; one set aside with matches is listed [8, 2.6].
16. A hedge side of which no position is told opens with what it would fall below zero by; SHORT is
    told with or without sign; a book without an entry in `position_now` begins at zero [4.2].
17. A delivered contract has no position now, whatever is told; without a position held its
    delivery is a result without fills [4.2, 5.2].
18. Witnesses are "without fills" where the history has no fill of the symbol at all [5.4].
19. INSURANCE_CLEAR with both sides open goes to the larger [5.4].
20. One row with both sides of one size, or rows of equal size without a rate: as of a positive
    rate, the long side has what is negative [5.1].
21. AUTO_EXCHANGE and COIN_SWAP rows of one instant are conversions like the owner's: they open
    trades; a half without its other half is income [5.3].
22. `exchange_differs` beyond a millionth of a dollar [4.5].
23. Problems once a kind and coin or contract (or income kind): those of openings first, then as
    they come, the end's, `margin_not_supported` last.
"""

from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.money.futures import Futures
from tests.money.ledger import Ledger
from tests.money.lots import ZERO
from tests.money.reading import read
from tests.money.rows import Change, Fill, Flow, moment
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
                price = self.ledger.worths.price(coin, self.end) or ZERO
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
        "reasons": list(ledger.worths.reasons),
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
