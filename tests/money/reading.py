"""A case's rows, read and put in the order in which they count (money.md §1.4, §8)."""

from fractions import Fraction
from itertools import groupby
from typing import Any, Literal

from tests.money.rows import Change, Fill, Flow, Payment, Row, moment
from tests.money.worth import CASH, own_name

SETTLEMENTS = ("FUNDING_FEE", "SPECIAL_FUNDING_FEE", "DELIVERED_SETTELMENT")
CONVERSIONS = ("AUTO_EXCHANGE", "COIN_SWAP_DEPOSIT", "COIN_SWAP_WITHDRAW")


def read(case: dict[str, Any]) -> list[Row]:
    """Every row that is an event; moving between own wallets is none (§1.1)."""
    rows: list[Row] = [
        *_openings(case),
        *_payments(case),
        *_dividends(case),
        *_transfers(case),
        *_changes(case),
        *_fills(case),
    ]
    rows.sort(key=lambda row: (row.time, _rank(row)))
    ordered: list[Row] = []
    for _, same in groupby(rows, key=lambda row: (row.time, _rank(row))):
        together = list(same)
        fills = [row for row in together if isinstance(row, Fill)]
        ordered += arrange(fills) if fills else together
    return ordered


def _rank(row: Row) -> int:
    """§1.4: settlements, what comes in, conversions, fills, withdrawals."""
    if isinstance(row, Fill):
        return 4
    if isinstance(row, Change):
        return 3
    if isinstance(row, Flow) and row.kind == "opening":
        return 0
    if isinstance(row, Payment) and row.kind in SETTLEMENTS:
        return 1
    return 2 if row.amount > 0 else 5


def arrange(fills: list[Fill]) -> list[Fill]:
    """§1.4, one instant: in a pair by id; the pair that brings a coin first, then by name."""
    pairs: dict[tuple[str, str], list[Fill]] = {}
    for fill in sorted(fills, key=lambda fill: fill.id):
        pairs.setdefault((fill.symbol, fill.market), []).append(fill)
    waiting = sorted(pairs)
    ordered: list[Fill] = []
    while waiting:
        ready = [
            pair
            for pair in waiting
            if not any(
                _brings(pairs[other]) & _spends(pairs[pair]) for other in waiting if other != pair
            )
        ]
        chosen = (ready or waiting)[0]
        waiting.remove(chosen)
        ordered += pairs[chosen]
    return ordered


def _brings(fills: list[Fill]) -> set[str]:
    return {fill.got[0] for fill in fills if fill.market == "spot"} - CASH


def _spends(fills: list[Fill]) -> set[str]:
    fees = {fill.fee_coin for fill in fills if fill.fee > 0}
    return fees | {fill.given[0] for fill in fills if fill.market == "spot"}


def _fills(case: dict[str, Any]) -> list[Fill]:
    spot = [_fill("spot", *row) for row in case.get("spot", [])]
    return spot + [_fill("usdm", *row) for row in case.get("usdm", [])]


def _fill(
    market: Literal["spot", "usdm"],
    symbol: str,
    id_: int,
    side: str,
    price: str,
    quantity: str,
    fee: str,
    fee_coin: str,
    time: str,
    realized: str | None = None,
    position_side: str = "BOTH",
) -> Fill:
    return Fill(
        market,
        symbol,
        int(id_),
        side,
        Fraction(price),
        Fraction(quantity),
        Fraction(fee),
        fee_coin,
        moment(time),
        Fraction(realized) if realized else None,
        position_side,
    )


def _openings(case: dict[str, Any]) -> list[Flow]:
    return [
        Flow("opening", own_name(coin), Fraction(amount), moment(at))
        for coin, amount, at in case.get("opening", [])
    ]


def _dividends(case: dict[str, Any]) -> list[Flow]:
    return [
        Flow("income", own_name(coin), Fraction(amount), moment(at))
        for coin, amount, at in case.get("dividends", [])
    ]


def _transfers(case: dict[str, Any]) -> list[Flow]:
    """P2P, card, Pay and gifts are deposits or withdrawals by their sign (§5.4)."""
    flows = []
    for kind, _, coin, text, at, _ in case.get("transfers", []):
        amount = Fraction(text)
        if kind == "network_fee":
            flows.append(Flow("network_fee", own_name(coin), -abs(amount), moment(at)))
        elif kind != "internal":
            way: Literal["deposit", "withdrawal"] = "deposit" if amount > 0 else "withdrawal"
            flows.append(Flow(way, own_name(coin), amount, moment(at)))
    return flows


def _changes(case: dict[str, Any]) -> list[Change]:
    changes = []
    kinds: tuple[tuple[Literal["convert", "swap"], str], ...] = (
        ("convert", "converts"),
        ("swap", "swaps"),
    )
    for kind, key in kinds:
        for _, given, paid, got, brought, at in case.get(key, []):
            paid_side = own_name(given), Fraction(paid)
            changes.append(Change(kind, paid_side, (own_name(got), Fraction(brought)), moment(at)))
    batches = case.get("dribblet", [])
    for batch in [batches] if isinstance(batches, dict) else batches:
        for detail in batch["userAssetDribbletDetails"]:
            given_side = detail["fromAsset"], Fraction(detail["amount"])
            # the service charge is taken off already (reading 3)
            got_side = detail.get("targetAsset", "BNB"), Fraction(detail["transferedAmount"])
            changes.append(Change("dust", given_side, got_side, moment(detail["operateTime"])))
    return changes


def _payments(case: dict[str, Any]) -> list[Row]:
    """§5.3: two rows of an exchange of coins at one instant are one conversion."""
    payments = [
        Payment(kind, own_name(coin), symbol, Fraction(amount), moment(at))
        for kind, _, coin, symbol, amount, at in case.get("income", [])
    ]
    rows: list[Row] = [row for row in payments if row.kind not in CONVERSIONS]
    halves = [row for row in payments if row.kind in CONVERSIONS]
    for given in [row for row in halves if row.amount < 0]:
        got = next((row for row in halves if row.amount > 0 and _belongs(row, given)), None)
        if got:
            halves = [row for row in halves if row is not given and row is not got]
            rows.append(
                Change("convert", (given.coin, -given.amount), (got.coin, got.amount), given.time)
            )
    return rows + list(halves)


def _belongs(got: Payment, given: Payment) -> bool:
    return got.time == given.time and got.kind[:9] == given.kind[:9]
