"""Conversions that were told as a whole: several coins for one, one for several (money.md 1.3)."""

from decimal import Decimal as D
from typing import Any

from journal.ledger import Conversion, Fill, Transfer, compute

PRICES = {"SOL": D(150), "ETH": D(3000), "BNB": D(600)}


def price(asset: str, time: Any) -> D | None:
    return PRICES.get(asset)


def bought(number: int, coin: str, quantity: str, at: str) -> Fill:
    return Fill(number, number, f"{coin}USDT", coin, "USDT", "BUY", D(at), D(quantity))


def test_dust_of_two_coins_shares_one_worth() -> None:
    dust = Conversion(
        "d", 5, "SOL", D("0.02"), "BNB", D("0.0095"), "dust", others=(("ETH", D("-0.001")),)
    )
    ledger = compute(
        [bought(1, "SOL", "0.02", "100"), bought(2, "ETH", "0.001", "2000")],
        conversions=[dust],
        prices=price,
    )
    # 0.02 x 150 + 0.001 x 3000 = 6: as much comes in as 0.0095 BNB
    nets = {match.asset: match.net for match in ledger.matches}
    assert nets == {"SOL": D(1), "ETH": D(1)}
    [bnb] = [p for p in ledger.positions if p.asset == "BNB"]
    assert (bnb.cost, bnb.quantity, bnb.stack_quantity) == (D(6), D("0.0095"), D("0.0095"))
    assert ledger.problems == []


def test_dollars_decide_what_the_others_were_worth() -> None:
    sold = Conversion("c", 5, "SOL", D(1), "USDT", D(900), others=(("ETH", D("-0.25")),))
    held = [Transfer("s", 1, "SOL", D(1)), Transfer("e", 2, "ETH", D("0.25"))]
    ledger = compute([], transfers=held, conversions=[sold], prices=price)
    # 150 and 750 by their prices: together the 900 that came
    assert sum(match.gross + match.entry_price * match.quantity for match in ledger.matches) == 900
    assert [match.kind for match in ledger.matches] == ["converted", "converted"]


def test_a_coin_without_a_price_has_what_is_left() -> None:
    dust = Conversion("d", 5, "NEW", D(7), "BNB", D("0.01"), "dust", others=(("SOL", D("-0.02")),))
    ledger = compute(
        [bought(1, "SOL", "0.02", "150")],
        transfers=[Transfer("n", 1, "NEW", D(7), D(2))],
        conversions=[dust],
        prices=price,
    )
    # given: SOL 3 and NEW without a price; received: 0.01 x 600 = 6
    worths = {m.asset: m.gross + m.entry_price * m.quantity for m in ledger.matches}
    assert worths == {"SOL": D(3), "NEW": D(3)}
