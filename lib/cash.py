"""Which assets are money rather than coins: the one list of them."""

# The dollar and what is pegged to it count 1:1. BNFCR (credits of futures accounts in the EEA) and
# BFUSD too: Binance keeps them at 1 USD.
DOLLARS = frozenset(
    {
        "USD",
        "USDT",
        "USDC",
        "FDUSD",
        "TUSD",
        "BUSD",
        "DAI",
        "USDP",
        "PAX",
        "USDE",
        "USD1",
        "USDS",
        "RLUSD",
        "XUSD",
        "PYUSD",
        "BNFCR",
        "BFUSD",
    }
)
# Other currencies, and coins pegged to one: cash with a rate. Binance trades most of them the other
# way round (USDTTRY), the rest against dollars (EURUSDT).
CURRENCIES = frozenset(
    {
        "EUR",
        "GBP",
        "AUD",
        "CAD",
        "CHF",
        "JPY",
        "KRW",
        "TRY",
        "BRL",
        "MXN",
        "ZAR",
        "IDR",
        "ARS",
        "COP",
        "UAH",
        "PLN",
        "CZK",
        "RON",
        "RUB",
        "NGN",
        "KES",
        "GHS",
        "UGX",
        "KZT",
        "VND",
        "PHP",
        "INR",
        "AED",
        "SAR",
        "HUF",
        "SEK",
        "NOK",
        "DKK",
        "NZD",
        "THB",
        "GEL",
        "CLP",
        "PEN",
        "AEUR",
        "EURI",
        "IDRT",
        "BIDR",
        "BVND",
        "BKRW",
        "BGBP",
    }
)
CASH = DOLLARS | CURRENCIES
# Binance lists a coin in flexible Earn under a name of its own: LDBTC is BTC.
EARN_PREFIX = "LD"
# coins whose real name begins so
NOT_EARN = frozenset({"LDO"})


def own_name(asset: str) -> str:
    """The coin behind Earn's name for it; every other name as it is."""
    if asset.startswith(EARN_PREFIX) and len(asset) > 4 and asset not in NOT_EARN:
        return asset[len(EARN_PREFIX) :]
    return asset


def is_cash(asset: str) -> bool:
    return asset in CASH
