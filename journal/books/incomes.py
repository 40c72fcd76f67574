"""What each kind of a futures wallet's line is (money.md 5.4): the one list of them.

Binance's list grows without notice: a kind that is not here is income too, and told as unknown.
"""

# kind -> what the ledger calls it
OF_A_CONTRACT = {
    "FUNDING_FEE": "funding",
    "SPECIAL_FUNDING_FEE": "special",
    "INSURANCE_CLEAR": "fee",
    "FEE_RETURN": "fee",
    "DELIVERED_SETTELMENT": "delivery",
    "DELIVERED_SETTLEMENT": "delivery",
}
# Fills say the same in full; without fills they are all that is known.
WITNESSES = frozenset({"REALIZED_PNL", "COMMISSION"})
# Between wallets of one's own: no event.
OWN_WALLETS = frozenset(
    {
        "TRANSFER",
        "CROSS_COLLATERAL_TRANSFER",
        "STRATEGY_UMFUTURES_TRANSFER",
        "UM_ACCOUNT_TRANSFER",
    }
)
# From or to another account.
OUTSIDE = frozenset({"INTERNAL_TRANSFER", "INTERNAL_AGENT_REWARD"})
# The exchange changes one asset for another by itself.
CONVERSIONS = frozenset({"AUTO_EXCHANGE", "COIN_SWAP_DEPOSIT", "COIN_SWAP_WITHDRAW"})
INCOME = frozenset(
    {
        "WELCOME_BONUS",
        "REFERRAL_KICKBACK",
        "COMMISSION_REBATE",
        "API_REBATE",
        "CONTEST_REWARD",
        "BFUSD_REWARD",
        "POSITION_LIMIT_INCREASE_FEE",
        "OPTIONS_PREMIUM_FEE",
        "OPTIONS_SETTLE_PROFIT",
        "FUTURES_PRESENT",
        "FUTURES_PRESENT_SPONSOR_REFUND",
        "CASH_COUPON",
        "LIQUIDATION_FEE",
    }
)


def is_unknown(kind: str) -> bool:
    known = (*OF_A_CONTRACT, *WITNESSES, *OWN_WALLETS, *OUTSIDE, *CONVERSIONS, *INCOME)
    return kind not in known
