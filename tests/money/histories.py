"""Random whole histories of one account, in the shape of money.md §8 and of the model's own keys.

A seed always gives the same history. Knobs: `spot`, `futures` (which markets; of the seed if not
told), `priced` (`price` is told; else only fills tell prices, and then only one market is in it, so
that no price of a contract is asked of a coin), `openings` (balances told to be there before),
`begins_inside` (contracts open before the first row), `rows` (fewest and most), `plain` (only keys
of money.md §8: no conversions, swaps, network fees, openings, entries), `moving` (`prices` minute
by minute, some missing, instead of `price`).
"""

from decimal import Decimal
from random import Random
from typing import Any

from tests.money.coin_rows import Moves
from tests.money.futures_rows import UsdM
from tests.money.market import FIRST_PRICES, Market, text
from tests.money.rows import moment
from tests.money.spot_rows import RULES, Spot

Case = dict[str, Any]
Source = Spot | Moves | UsdM
LISTS = ("spot", "usdm", "transfers", "income", "dividends")


def random_case(
    seed: int,
    *,
    spot: bool | None = None,
    futures: bool | None = None,
    priced: bool | None = None,
    openings: bool | None = None,
    begins_inside: bool | None = None,
    rows: tuple[int, int] = (10, 60),
    plain: bool = False,
    moving: bool = False,
) -> Case:
    dice = Random(seed)
    markets = dice.choices(((True, True), (True, False), (False, True)), (5, 3, 2))[0]
    is_priced = moving or (dice.random() < 0.7 if priced is None else priced)
    has_spot = markets[0] if spot is None else spot
    has_futures = markets[1] if futures is None else futures
    if not is_priced and has_spot and has_futures and None in (spot, futures):
        has_futures = False
    case: Case = {"name": f"random_{seed}", **{key: [] for key in LISTS}}
    market = Market(dice)
    if is_priced and not moving:
        case["price"] = _prices(dice)
    if dice.random() < 0.5:
        case["rules"] = {pair: rule for pair, rule in RULES.items() if dice.random() < 0.8}
    if dice.random() < 0.5:
        case["funding_rate"] = dice.choice(("0.0001", "-0.0002"))
    if not plain and (dice.random() < 0.2 if openings is None else openings):
        case["opening"] = [[coin, "0.5", market.time] for coin in ("BTC", "USDT", "EUR")]
        market.held["BTC"] += Decimal("0.5")
    inside = dice.random() < 0.4 if begins_inside is None else begins_inside
    sources: list[Source] = []
    if has_spot:
        spot_rows = Spot(dice, market, case)
        moves = Moves(dice, market, case, spot_rows, is_plain=plain)
        sources += [spot_rows, moves]
    usdm = UsdM(dice, market, case, begins_inside=inside)
    if has_futures:
        sources += [usdm, usdm]
    _fill_up(case, dice, market, sources, rows)
    if has_futures:
        usdm.tell_positions(with_entries=not plain)
    if moving:
        case["prices"] = market.points
    return case


def rows_since(case: Case, at: str) -> Case:
    """The same history, told from a time on; a batch of dust stays or goes as a whole."""
    times = {"transfers": 4, "income": 5, "dividends": 2, "converts": 5, "swaps": 5, "opening": 2}
    later = {
        key: [row for row in case[key] if moment(row[times.get(key, 7)]) >= moment(at)]
        for key in (*LISTS, "converts", "swaps", "opening")
        if key in case
    }
    rest = case | later
    if "dribblet" in case and moment(case["dribblet"]["operateTime"]) < moment(at):
        rest.pop("dribblet")
    return rest


def _fill_up(
    case: Case, dice: Random, market: Market, sources: list[Source], rows: tuple[int, int]
) -> None:
    for source in sources:
        if not isinstance(source, Moves):
            source.begin()
    wanted = dice.randint(*rows)
    for _ in range(20 * wanted):
        if sum(len(case[key]) for key in LISTS) >= wanted:
            return
        dice.choice(sources).step()
        market.wait()


def _prices(dice: Random) -> dict[str, str]:
    """Constant prices, seldom one missing."""
    missing = dice.choice(("SOL", "BNB", "TRY", "")) if dice.random() < 0.3 else ""
    return {
        coin: text(Decimal(price) * Decimal(dice.randint(70, 140)) / 100)
        for coin, price in FIRST_PRICES.items()
        if coin != missing
    }
