"""Exports of one thing each: futures income, converts, deposits, withdrawals, distributions."""

import re
from decimal import Decimal

from journal.checking import MOVED, NUMBER, check_amount
from journal.faults import Bad
from journal.files import cells
from journal.files.found import FoundIncome, FoundTransfer, Reading
from journal.files.pairs import Pairs
from journal.files.trades import Row

DONE = {
    "completed",
    "successful",
    "success",
    "done",
    "confirmed",
    "credited",
    "finished",
    "processed",
    "hoàn thành",
    "已完成",
    "完成",
    "완료",
    "abgeschlossen",
    "completado",
    "concluído",
    "terminé",
    "tamamlandı",
    "завершено",
    "完了",
    "",
}
LONGEST_KIND, LONGEST_ID = 40, 40
INCOME_KIND = re.compile(r"[A-Z0-9_]{2,40}")


def read_income(row: Row, pairs: Pairs, reading: Reading) -> None:
    """The transaction history of USD-M futures, by the names that the API has for its kinds."""
    kind = row.needed("type").upper().replace(" ", "_")
    if not INCOME_KIND.fullmatch(kind):
        raise Bad("text_odd" if len(kind) <= LONGEST_KIND else "text_long", was=kind)
    name = row.text("transaction_id")
    if len(name) > LONGEST_ID:
        raise Bad("identity", was=name)
    income = FoundIncome(
        row.place(),
        kind,
        row.needed("coin").upper(),
        row.text("symbol").upper(),
        row.number("amount"),
        name,
    )
    check_amount(
        asset=income.asset,
        amount=income.amount,
        column=NUMBER,
        text=name + income.symbol,
        may_be_zero=True,
    )
    reading.incomes.append(income)


def read_convert(row: Row, pairs: Pairs, reading: Reading) -> None:
    """Both coins of a conversion, as one."""
    _done(row)
    gave, got = _both(row.needed("sell"), row.needed("buy"), row.text("symbol").upper())
    place, wallet = row.place(), _wallet(row.text("wallet"))
    operation = f"{gave[1]} → {got[1]}"
    group = _group(reading)
    both = [
        FoundTransfer(place, "convert", asset, amount, operation, "convert", wallet, group=group)
        for amount, asset in ((-gave[0], gave[1]), got)
    ]
    for half in both:
        _check(half)
    reading.transfers += both


def read_deposit(row: Row, pairs: Pairs, reading: Reading) -> None:
    _done(row)
    _keep(
        reading,
        FoundTransfer(
            row.place(),
            "deposit",
            row.needed("coin").upper(),
            _above_zero(row, "amount"),
            f"Deposit {row.text('network')}".strip(),
            "deposits",
        ),
    )


def read_withdrawal(row: Row, pairs: Pairs, reading: Reading) -> None:
    """The amount is what arrives; the network's fee leaves beside it."""
    _done(row)
    fee = cells.number(row.text("transaction_fee") or "0")
    if fee < 0:
        raise Bad("number", was=fee)
    _keep(
        reading,
        FoundTransfer(
            row.place(),
            "withdrawal",
            row.needed("coin").upper(),
            -_above_zero(row, "amount") - fee,
            f"Withdraw {row.text('network')}".strip(),
            "withdrawals",
            fee=fee,
        ),
    )


def read_distribution(row: Row, pairs: Pairs, reading: Reading) -> None:
    _done(row)
    _keep(
        reading,
        FoundTransfer(
            row.place(),
            "dividend",
            row.needed("coin").upper(),
            row.number("amount"),
            row.text("remark") or "Distribution",
            "distributions",
        ),
    )


def _keep(reading: Reading, transfer: FoundTransfer) -> None:
    _check(transfer)
    reading.transfers.append(transfer)


def _check(transfer: FoundTransfer) -> None:
    check_amount(
        asset=transfer.asset, amount=transfer.amount, column=MOVED, text=transfer.operation
    )


def _done(row: Row) -> None:
    status = row.text("status").strip()
    if status.lower() not in DONE:
        raise Bad("not_done", was=status)


def _above_zero(row: Row, name: str) -> Decimal:
    number = row.number(name)
    if number <= 0:
        raise Bad("quantity", was=number)
    return number


def _both(sell: str, buy: str, symbol: str) -> tuple[tuple[Decimal, str], tuple[Decimal, str]]:
    """What left and what came. The pair tells the coins where numbers are glued to them:
    `51000SATS` is 5 of 1000SATS."""
    for gave in cells.splits(sell):
        for got in cells.splits(buy):
            if symbol.replace("/", "") in {gave[1] + got[1], got[1] + gave[1]}:
                return _with_coin(" ".join(gave)), _with_coin(" ".join(got))
    return _with_coin(sell), _with_coin(buy)


def _with_coin(text: str) -> tuple[Decimal, str]:
    amount, coin = cells.with_any_coin(text)
    if not coin or amount <= 0:
        raise Bad("number_coin", was=text)
    return amount, coin


def _wallet(text: str) -> str:
    return "funding" if "fund" in text.lower() else "earn" if "earn" in text.lower() else "spot"


def _group(reading: Reading) -> int:
    """A number that no other conversion of this file has."""
    return len(reading.transfers)
