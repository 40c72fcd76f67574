"""What comes, goes and what it was worth, by hand-worked values; sections are money.md's."""

from fractions import Fraction

import pytest

from tests.money.cases import Case, bought_and_sold, fill, money, on
from tests.money.model import evaluate


def test_average_pools_fees_as_it_pools_cost() -> None:
    """§2.3."""
    case = {
        "spot": [
            fill("BNBUSDT", 1, "BUY", "10", "100", "2.5 USDT"),
            fill("BNBUSDT", 2, "BUY", "15", "100", "3.75 USDT"),
            fill("BNBUSDT", 3, "SELL", "12", "50", "1.5 USDT"),
        ]
    }
    assert money(evaluate(case, "average"), "net", "tax_net") == [-28.0625, -28.0625]


@pytest.mark.parametrize(
    ("method", "net"), [("fifo", 30), ("lifo", 20), ("hifo", 10), ("average", 20)]
)
def test_a_method_chooses_the_lot(method: str, net: int) -> None:
    """§4.4: of 100, 120, 110 sold at 130."""
    prices = ("100", "120", "110")
    buys = [fill("SOLUSDT", day, "BUY", price, "1") for day, price in enumerate(prices, 1)]
    case = {"spot": [*buys, fill("SOLUSDT", 4, "SELL", "130", "1")]}
    assert money(evaluate(case, method), "net", "tax_net") == [net, net]


def test_a_coin_spent_on_another_pair_realises_its_own_gain() -> None:
    """§2.1: bought at 20000, spent at 60000; it comes back at 60000 and is sold there."""
    case = {
        "price": {"BTC": "60000"},
        "spot": [
            fill("BTCUSDT", 1, "BUY", "20000", "1"),
            fill("ETHBTC", 2, "BUY", "0.05", "20"),
            fill("ETHBTC", 3, "SELL", "0.05", "20"),
            fill("BTCUSDT", 4, "SELL", "60000", "1"),
        ],
    }
    result = evaluate(case)
    assert money(result, "net", "tax_net", "unrealised") == [40000, 40000, 0]
    assert result["trades"] == [["LONG", 20000, 60000, 40000], ["LONG", 3000, 3000, 0]]


def test_a_conversion_is_a_sale_and_a_purchase() -> None:
    """§2.1, §3.2."""
    case = {
        "spot": [fill("BTCUSDT", 1, "BUY", "50000", "1")],
        "converts": [
            ["a", "BTC", "1", "USDT", "60000", on(2)],
            ["b", "USDT", "300", "SOL", "2", on(3)],
        ],
        "price": {"SOL": "160"},
    }
    result = evaluate(case)
    assert result["trades"] == [["LONG", 50000, 60000, 10000]]
    assert (result["open"], result["unrealised"]) == ({"SOL": 2}, 20)


def test_a_fee_in_the_coin_that_comes_is_less_quantity_and_less_cost() -> None:
    """§2.3: 0.999 came at 59940 and 60 of fee."""
    case = {"spot": [fill("BTCUSDT", 1, "BUY", "60000", "1", "0.001 BTC")]}
    assert money(evaluate(case), "net", "unrealised") == [0, -60]
    case["spot"].append(fill("BTCUSDT", 2, "SELL", "61000", "0.999"))
    result = evaluate(case)
    assert result["trades"] == [["LONG", 60000, 61000, 939]]


def test_a_fee_in_a_third_coin_realises_that_coins_gain() -> None:
    """§2.3: 0.001 BNB bought at 500 are worth 0.6: −0.6 of fee, +0.1 of BNB."""
    case = bought_and_sold("0.001 BNB")
    case["spot"].insert(0, fill("BNBUSDT", 1, "BUY", "500", "1"))
    assert money(evaluate(case), "net", "unrealised") == [-0.5, 99.9]


def test_a_negative_fee_comes_into_the_stack_and_lowers_the_fee() -> None:
    """§2.3."""
    result = evaluate(bought_and_sold("-0.001 BNB"))
    assert result["trades"] == [["LONG", 60000, 60000, Fraction("0.6")]]
    assert result["stack"] == {"BNB": Fraction("0.001")}


def test_between_two_dollars_the_difference_is_realised_at_once() -> None:
    """§2.5: 1000 USDC for 999 USDT, less 0.5."""
    case = {"spot": [fill("USDCUSDT", 1, "BUY", "0.999", "1000", "0.5 USDT")]}
    result = evaluate(case)
    assert (result["trades"], result["net"]) == ([], Fraction("0.5"))


def test_a_currency_has_its_effect_apart() -> None:
    """§2.5, §6: 1000 EUR deposited at 1.10; 500 sold at 1.12, and the rate ends at 1.10."""
    case = {
        "price": {"EUR": "1.1"},
        "transfers": [["deposit", "d", "EUR", "1000", on(1), ""]],
        "spot": [fill("EURUSDT", 2, "SELL", "1.12", "500")],
    }
    sums = money(evaluate(case), "net", "deposits", "currency_effect", "worth")
    assert sums == [0, 1100, 10, 1110]


def test_a_coin_bought_for_euros_costs_their_dollars() -> None:
    """§1.3: 0.1 BTC for 5000 EUR at 1.1, sold for 6000 dollars."""
    case = {
        "price": {"EUR": "1.1"},
        "spot": [
            fill("BTCEUR", 1, "BUY", "50000", "0.1"),
            fill("BTCUSDT", 2, "SELL", "60000", "0.1"),
        ],
    }
    assert evaluate(case)["trades"] == [["LONG", 55000, 60000, 500]]


def test_what_is_withdrawn_takes_its_gain_along() -> None:
    """§2.6: 0.5 BTC out at 60000, bought at 50000; 0.001 for the network."""
    case = {
        "price": {"BTC": "60000"},
        "spot": [fill("BTCUSDT", 1, "BUY", "50000", "1")],
        "transfers": [
            ["withdrawal", "w", "BTC", "-0.5", on(2), ""],
            ["network_fee", "w", "BTC", "-0.001", on(2), ""],
        ],
    }
    result = evaluate(case)
    assert money(result, "net", "income", "withdrawals") == [5010, -60, 30000]
    assert result["unrealised"] == 4990


def test_what_leaves_beyond_everything_held_was_there_unseen() -> None:
    """§2.7."""
    result = evaluate({"spot": [fill("BTCUSDT", 1, "SELL", "60000", "1", "6 USDT")]})
    assert money(result, "net", "apart", "deposits", "worth") == [-6, -6, 60000, 59994]
    assert (result["trades"], result["problems"]) == ([], ["oversold"])


def test_an_airdrop_without_any_price_counts_nothing() -> None:
    """§1.3, §4.4: and what it later brings is apart."""
    case: Case = {"dividends": [["AIR", "100", on(1)]]}
    result = evaluate(case)
    assert (result["income"], result["unrealised"], result["reasons"]) == (0, 0, ["AIR"])
    case["spot"] = [fill("AIRUSDT", 2, "SELL", "0.5", "100")]
    assert money(evaluate(case), "net", "apart") == [50, 50]


def test_a_price_older_than_an_hour_is_a_problem() -> None:
    """§1.3."""
    case = {
        "spot": [fill("SOLUSDT", 1, "BUY", "150", "1")],
        "dividends": [["SOL", "1", on(1, 10)]],
    }
    result = evaluate(case)
    assert (result["income"], result["problems"]) == (150, ["missing_price"])


def test_a_dividend_taken_back_is_negative_income() -> None:
    """§5.4."""
    case = {
        "price": {"BTC": "60000"},
        "dividends": [["BTC", "0.01", on(1)], ["BTC", "-0.004", on(2)]],
    }
    assert money(evaluate(case), "net", "income", "worth") == [0, 360, 360]


def test_a_swapped_coin_keeps_its_cost() -> None:
    """§2.1: the open trade of MATIC is set aside, POL is sold from the stack."""
    case = {
        "spot": [
            fill("MATICUSDT", 1, "BUY", "1", "100"),
            fill("POLUSDT", 3, "SELL", "15", "10"),
        ],
        "swaps": [["s", "MATIC", "100", "POL", "10", on(2)]],
    }
    result = evaluate(case)
    assert (result["trades"], result["net"], result["problems"]) == ([], 50, [])


def test_at_one_instant_what_brings_a_coin_goes_first() -> None:
    """§1.4: BTCUSDT buys what ETHBTC spends, a deposit comes before its sale."""
    case = {
        "price": {"SOL": "150"},
        "spot": [
            fill("ETHBTC", 1, "BUY", "0.05", "2", day=1),
            fill("BTCUSDT", 2, "BUY", "60000", "0.1", day=1),
            fill("SOLUSDT", 3, "SELL", "160", "1", day=1),
        ],
        "transfers": [["deposit", "d", "SOL", "1", on(1), ""]],
    }
    result = evaluate(case)
    assert (result["problems"], result["open"]) == ([], {"ETH": 2})
    assert money(result, "net", "deposits") == [10, 150]


def test_the_pair_that_brings_goes_first_whatever_its_name() -> None:
    """§1.4: ETHBTC brings the BTC that BTCUSDT sells."""
    case = {
        "price": {"BTC": "60000", "ETH": "3000"},
        "transfers": [["deposit", "d", "ETH", "2", on(1), ""]],
        "spot": [
            fill("BTCUSDT", 1, "SELL", "60000", "0.1", day=2),
            fill("ETHBTC", 2, "SELL", "0.05", "2", day=2),
        ],
    }
    result = evaluate(case)
    assert (result["problems"], result["stack"], result["deposits"]) == ([], {}, 6000)
