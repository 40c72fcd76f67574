"""Hand-made histories with right values (rows as money.md §8 has them)."""

from typing import Any

Row = list[Any]
Case = dict[str, Any]


def fill(
    symbol: str,
    number: int,
    side: str,
    price: str,
    quantity: str,
    fee: str = "0 USDT",
    day: int = 0,
) -> Row:
    """One a day (of its number, unless told) in March 2026, at eight."""
    size, coin = fee.split()
    return [symbol, number, side, price, quantity, size, coin, on(day or number)]


def on(day: int, hour: int = 8) -> str:
    return f"2026-03-{day:02}T{hour:02}:00:00Z"


def bought_and_sold(fee: str) -> Case:
    """0.01 BTC, in and out at 60000; the fee is of the purchase."""
    return {
        "price": {"BNB": "600"},
        "spot": [
            fill("BTCUSDT", 2, "BUY", "60000", "0.01", fee),
            fill("BTCUSDT", 3, "SELL", "60000", "0.01"),
        ],
    }


def money(result: dict[str, Any], *keys: str) -> list[float]:
    return [float(result[key]) for key in keys]


def day_trades(days: list[int], of_day: str) -> list[list[Any]]:
    """A purchase of 0.1 at 60000 and its sale at 60100, an hour later each, ids from 10."""
    rows: list[list[Any]] = []
    for number, day in enumerate(days):
        hour = int(of_day)
        for after, side, price in ((0, "BUY", "60000"), (1, "SELL", "60100")):
            at = f"2026-03-{day:02}T{hour + after:02}:00:00Z"
            rows.append(["BTCUSDT", 10 + 2 * number + after, side, price, "0.1", "0", "USDT", at])
    return rows


TWO_PAIRS_ONE_COIN: Case = {
    "spot": [
        ["BTCUSDT", 1, "BUY", "60000", "1", "0", "USDT", "2026-03-02T08:00:00Z"],
        ["BTCFDUSD", 1, "SELL", "61000", "0.5", "0", "FDUSD", "2026-03-02T08:01:00Z"],
        ["BTCUSDC", 1, "SELL", "62000", "0.5", "0", "USDC", "2026-03-02T08:02:00Z"],
    ]
}
BEGINS_INSIDE_A_SHORT: Case = {
    "position_now": "0",
    "usdm": [
        ["BTCUSDT", 1, "BUY", "100", "1", "0", "USDT", "2026-03-02T08:00:00Z", "12.3", "BOTH"],
        ["BTCUSDT", 2, "SELL", "110", "1", "0", "USDT", "2026-03-02T08:01:00Z", "0", "BOTH"],
        ["BTCUSDT", 3, "BUY", "105", "1", "0", "USDT", "2026-03-02T08:02:00Z", "5", "BOTH"],
    ],
}
OWN_WALLET_AND_BACK: Case = {
    "spot": [
        ["BTCUSDT", 1, "BUY", "50000", "1", "0", "USDT", "2026-03-02T08:00:00Z"],
        ["BTCUSDT", 2, "SELL", "60000", "1", "0", "USDT", "2026-03-05T08:00:00Z"],
    ],
    "transfers": [
        ["internal", "o", "BTC", "-1", "2026-03-03T08:00:00Z", "MAIN_UMFUTURE"],
        ["internal", "i", "BTC", "1", "2026-03-04T08:00:00Z", "UMFUTURE_MAIN"],
    ],
}
FUNDING_FOUR_SECONDS_LATE: Case = {
    "usdm": [
        ["BTCUSDT", 1, "BUY", "100", "1", "0", "USDT", "2026-03-02T07:00:00Z", "0", "BOTH"],
        ["BTCUSDT", 2, "SELL", "101", "1", "0", "USDT", "2026-03-02T08:00:02Z", "1", "BOTH"],
    ],
    "income": [["FUNDING_FEE", "1", "USDT", "BTCUSDT", "-0.5", "2026-03-02T08:00:04Z"]],
}
FUNDING_BEFORE_A_FLIP: Case = {
    "usdm": [
        ["BTCUSDT", 1, "BUY", "100", "1", "0", "USDT", "2026-03-02T07:00:00Z", "0", "BOTH"],
        ["BTCUSDT", 2, "SELL", "101", "2", "0", "USDT", "2026-03-02T08:00:02Z", "1", "BOTH"],
        ["BTCUSDT", 3, "BUY", "100", "1", "0", "USDT", "2026-03-02T08:02:00Z", "1", "BOTH"],
    ],
    "income": [["FUNDING_FEE", "1", "USDT", "BTCUSDT", "-0.5", "2026-03-02T08:00:04Z"]],
}
LOCKED_HEDGE_FUNDING: Case = {
    "funding_rate": "0.0001",
    "usdm": [
        ["BTCUSDT", 1, "BUY", "100", "1", "0", "USDT", "2026-03-02T07:00:00Z", "0", "LONG"],
        ["BTCUSDT", 2, "SELL", "100", "1", "0", "USDT", "2026-03-02T07:00:00Z", "0", "SHORT"],
        ["BTCUSDT", 3, "SELL", "105", "1", "0", "USDT", "2026-03-02T09:00:00Z", "5", "LONG"],
        ["BTCUSDT", 4, "BUY", "104", "1", "0", "USDT", "2026-03-02T10:00:00Z", "-4", "SHORT"],
    ],
    "income": [
        ["FUNDING_FEE", "1", "USDT", "BTCUSDT", "-0.01", "2026-03-02T08:00:00Z"],
        ["FUNDING_FEE", "2", "USDT", "BTCUSDT", "0.01", "2026-03-02T08:00:00Z"],
    ],
}
DUST_SAME_COIN_TWICE: Case = {
    "dribblet": {
        "operateTime": 1772438400000,
        "transId": 45178372831,
        "userAssetDribbletDetails": [
            {
                "transId": 4359321,
                "serviceChargeAmount": "0.000009",
                "amount": "0.002",
                "transferedAmount": "0.000441",
                "fromAsset": "SOL",
                "operateTime": 1772438400000,
            },
            {
                "transId": 4359321,
                "serviceChargeAmount": "0.0000018",
                "amount": "0.001",
                "transferedAmount": "0.0000882",
                "fromAsset": "SOL",
                "operateTime": 1772438400000,
            },
        ],
    }
}
DELIVERED_QUARTERLY: Case = {
    "usdm": [
        ["BTCUSDT_260626", 1, "BUY", "100", "1", "0", "USDT", "2026-03-28T08:00:00Z", "0", "BOTH"]
    ],
    "income": [
        ["DELIVERED_SETTELMENT", "5", "USDT", "BTCUSDT_260626", "20", "2026-06-26T08:00:00Z"]
    ],
}
STACK_AND_DAY_TRADES: Case = {
    "spot": [
        ["BTCUSDT", 1, "BUY", "40000", "1", "0", "USDT", "2025-08-14T08:00:00Z"],
        *day_trades(list(range(2, 12)), "8"),
    ]
}
INTEREST_BETWEEN_DAY_TRADES: Case = {
    "rules": {"BTCUSDT": ["0.00001", "5"]},
    "price": {"BTC": "60000"},
    "dividends": [["BTC", "0.0002", f"2026-03-{day:02}T08:00:00Z"] for day in range(2, 7)],
    "spot": day_trades(list(range(2, 7)), "9"),
}
NOTE_THEN_OLDER_EXPORT: Case = {
    "spot": [
        ["ETHUSDT", 1, "BUY", "1500", "0.5", "0", "USDT", "2025-01-02T10:00:00Z"],
        ["ETHUSDT", 2, "BUY", "2000", "1", "0", "USDT", "2026-03-02T08:00:00Z"],
        ["ETHUSDT", 3, "SELL", "2100", "1", "0", "USDT", "2026-03-02T09:00:00Z"],
    ]
}
ALL: dict[str, Case] = {
    "two_pairs_one_coin": TWO_PAIRS_ONE_COIN,
    "usdm_history_begins_inside_a_short": BEGINS_INSIDE_A_SHORT,
    "own_wallet_and_back": OWN_WALLET_AND_BACK,
    "funding_row_four_seconds_late": FUNDING_FOUR_SECONDS_LATE,
    "funding_goes_to_the_flipped_position": FUNDING_BEFORE_A_FLIP,
    "locked_hedge_funding": LOCKED_HEDGE_FUNDING,
    "dust_same_coin_twice": DUST_SAME_COIN_TWICE,
    "delivered_quarterly": DELIVERED_QUARTERLY,
    "stack_and_day_trades": STACK_AND_DAY_TRADES,
    "interest_between_day_trades": INTEREST_BETWEEN_DAY_TRADES,
    "note_then_older_export": NOTE_THEN_OLDER_EXPORT,
}
