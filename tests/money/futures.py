"""The contracts of an account and the rows of their income (money.md §4.2, §5)."""

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.money.contracts import Contract, opening_of
from tests.money.ledger import Ledger
from tests.money.lots import ZERO
from tests.money.rows import Fill, Payment, Row
from tests.money.trades import Trade
from tests.money.worth import split_symbol

FUNDING = ("FUNDING_FEE", "SPECIAL_FUNDING_FEE")
WITNESSES = ("REALIZED_PNL", "COMMISSION")
FEES = ("INSURANCE_CLEAR", "FEE_RETURN")
# the name is the exchange's own spelling
DELIVERY = "DELIVERED_SETTELMENT"
OWN_WALLETS = frozenset(
    {"TRANSFER", "INTERNAL_TRANSFER", "CROSS_COLLATERAL_TRANSFER", "STRATEGY_UMFUTURES_TRANSFER"}
)
INCOME = frozenset(
    {
        "WELCOME_BONUS",
        "REFERRAL_KICKBACK",
        "COMMISSION_REBATE",
        "API_REBATE",
        "CONTEST_REWARD",
        "BFUSD_REWARD",
        "FUTURES_PRESENT",
        "POSITION_LIMIT_INCREASE_FEE",
        "AUTO_EXCHANGE",
        "COIN_SWAP_DEPOSIT",
        "COIN_SWAP_WITHDRAW",
    }
)
ROUNDING = Fraction(1, 10**6)
Key = tuple[str, str]


def settled_at(payment: Payment) -> datetime:
    """§5.1: the row's hour, of a special one its minute."""
    minute = payment.time.replace(second=0, microsecond=0)
    return minute.replace(minute=0) if payment.kind == "FUNDING_FEE" else minute


class Futures:
    def __init__(self, case: dict[str, Any], rows: list[Row], ledger: Ledger) -> None:
        self.ledger = ledger
        rate = case.get("funding_rate")
        self.rate = None if rate is None else Fraction(rate)
        self.last_prices: dict[str, Fraction] = {}
        self.fundings: dict[tuple[str, str, datetime], list[Payment]] = defaultdict(list)
        for row in rows:
            if isinstance(row, Payment) and row.kind in FUNDING:
                self.fundings[row.symbol, row.kind, settled_at(row)].append(row)
        fills: dict[Key, list[Fill]] = defaultdict(list)
        for row in rows:
            if isinstance(row, Fill) and row.market == "usdm":
                fills[row.symbol, row.position_side].append(row)
        told = positions_of(case.get("position_now"), list(fills))
        entries = positions_of(case.get("position_entry"), list(fills))
        # what a delivery ended is in no position now (reading 17)
        ended = {row.symbol for row in rows if isinstance(row, Payment) and row.kind == DELIVERY}
        told = {key: quantity for key, quantity in told.items() if key[0] not in ended}
        self.contracts: dict[Key, Contract] = {}
        for key in [*fills, *(key for key in told if key not in fills)]:
            self._open(key, fills[key], told.get(key), entries.get(key))
        self.traded = {symbol for (symbol, _), own_fills in fills.items() if own_fills}
        self.closed_last: dict[str, Trade] = {}

    def _open(
        self, key: Key, fills: list[Fill], now: Fraction | None, entry: Fraction | None
    ) -> None:
        """§4.2. The quantity of a SHORT is told with or without its sign."""
        symbol, side = key
        if now is not None and side == "SHORT":
            now = -abs(now)
        opening = opening_of(fills, now, entry, is_hedge=side != "BOTH")
        if opening:
            self.ledger.complain("history_begins_inside_a_position", named(key))
            self.last_prices.setdefault(symbol, opening.entry)
        self.contracts[key] = Contract(self.ledger.method, self.ledger.closed, opening)

    # --- rows --------------------------------------------------------------------------------

    def fill(self, fill: Fill) -> None:
        """§3.1, §4.5: the calculated wallet moves by the average entry."""
        ledger, contract = self.ledger, self.contracts[fill.symbol, fill.position_side]
        self.last_prices[fill.symbol] = fill.price
        fee = (
            (ledger.worths.price(fill.fee_coin, fill.time) or ZERO) * fill.fee if fill.fee else ZERO
        )
        trade = contract.trade
        matches, realised = contract.fill(fill, fee)
        self._note_closed(fill.symbol, trade)
        ledger.matches += matches
        ledger.wallet.move(fill.quote, realised, realised)
        ledger.pay_fee(fill.fee_coin, fill.fee, fee, fill.time)
        if fill.realized is not None and abs(fill.realized - realised) > ROUNDING:
            ledger.complain("exchange_differs", fill.symbol)

    def pay(self, payment: Payment) -> None:
        """§5.4: whatever moves a balance is in exactly one sum."""
        kind, symbol, ledger = payment.kind, payment.symbol, self.ledger
        if kind in OWN_WALLETS or (kind in WITNESSES and symbol in self.traded):
            return
        worth = ledger.pay(payment)
        if kind == DELIVERY and (contract := self._held(symbol)):
            trade = contract.trade
            ledger.matches += contract.deliver(worth, payment.time)
            self._note_closed(symbol, trade)
        elif kind in FUNDING:
            ledger.payments += worth
            self._fund(payment, worth)
        elif kind in FEES and (trade := self._trade_of(symbol)):
            ledger.payments += worth
            trade.extra += worth
        elif kind in WITNESSES or kind == DELIVERY:
            ledger.payments += worth
            ledger.apart_payments += worth
            ledger.complain("result_without_fills", symbol)
        else:
            ledger.wallet.income += worth
            if kind not in INCOME and kind not in FEES:
                ledger.complain("unknown_income", kind)

    def _fund(self, payment: Payment, worth: Fraction) -> None:
        """§5.1: to the trades that were held before the instant of the settlement."""
        instant = settled_at(payment)
        held = [
            (trade, quantity)
            for (symbol, _), contract in sorted(self.contracts.items(), key=lambda item: item[0])
            if symbol == payment.symbol
            for trade, quantity in [contract.before(instant)]
            if trade
        ]
        if not held:
            self.ledger.complain("funding_without_position", payment.symbol)
        rows = self.fundings[payment.symbol, payment.kind, instant]
        for (trade, _), share in zip(held, self._shares(payment, rows, held), strict=True):
            trade.extra += worth * share

    def _shares(
        self, row: Payment, rows: list[Payment], held: list[tuple[Trade, Fraction]]
    ) -> list[Fraction]:
        """§5.1: of one row, for each of those held."""
        total = sum((quantity for _, quantity in held), ZERO)
        if len(held) == 1 or not held:
            return [Fraction(1)] * len(held)
        if len(rows) == 1 and total:
            return [quantity / total for _, quantity in held]
        sizes = [abs(quantity) for _, quantity in held]
        amounts = [abs(other.amount) for other in rows]
        if self.rate is None and min(sizes) != max(sizes) and min(amounts) != max(amounts):
            size = max(sizes) if abs(row.amount) == max(amounts) else min(sizes)
            return [Fraction(abs(quantity) == size) for _, quantity in held]
        # of a positive rate the long side pays; so it is taken where no size tells
        pays = (row.amount < 0) == (self.rate is None or self.rate > 0)
        return [Fraction((quantity > 0) == pays) for _, quantity in held]

    # --- which contract, which trade ---------------------------------------------------------

    def _held(self, symbol: str) -> Contract | None:
        held = [
            contract
            for (other, _), contract in self.contracts.items()
            if other == symbol and contract.quantity
        ]
        assert len(held) < 2, "a delivery of both sides at once is not in the model"
        return held[0] if held else None

    def _trade_of(self, symbol: str) -> Trade | None:
        """§5.4: the contract's open trade (of two the larger), else the one closed last."""
        contracts = [book for (other, _), book in self.contracts.items() if other == symbol]
        largest = max(contracts, key=lambda book: abs(book.quantity), default=None)
        if largest and largest.trade:
            return largest.trade
        return self.closed_last.get(symbol)

    def _note_closed(self, symbol: str, trade: Trade | None) -> None:
        if trade and self.ledger.closed and self.ledger.closed[-1] is trade:
            self.closed_last[symbol] = trade

    # --- at the end --------------------------------------------------------------------------

    def price(self, symbol: str) -> Fraction:
        """§8: `price` of the contract or its coin, else its own last fill's."""
        constant = self.ledger.prices.constant
        own = self.last_prices.get(symbol, ZERO)
        return constant.get(symbol, constant.get(split_symbol(symbol)[0], own))

    @property
    def unrealised(self) -> Fraction:
        books = self.contracts.items()
        return sum((book.unrealised(self.price(symbol)) for (symbol, _), book in books), ZERO)

    @property
    def floating(self) -> Fraction:
        books = self.contracts.items()
        return sum((book.floating(self.price(symbol)) for (symbol, _), book in books), ZERO)

    @property
    def open(self) -> dict[str, Fraction]:
        return {named(key): book.quantity for key, book in self.contracts.items() if book.quantity}


def named(key: Key) -> str:
    symbol, side = key
    return symbol if side == "BOTH" else f"{symbol}:{side}"


def positions_of(told: Any, keys: list[Key]) -> dict[Key, Fraction]:
    """§8: one number for the only contract, or {"SYMBOL:SIDE": number}."""
    if told is None:
        return {}
    if not isinstance(told, dict):
        return {key: Fraction(told) for key in keys if len(keys) == 1}
    positions = {}
    for name, number in told.items():
        symbol, _, side = name.partition(":")
        positions[symbol, side or "BOTH"] = Fraction(number)
    return positions
