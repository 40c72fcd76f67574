"""The statement's names for what moved a balance, and its names for wallets."""

import re
import unicodedata
from decimal import Decimal

# Legs of a trade. The newer names tell which coin is the pair's base.
BOUGHT, SPENT = {"transaction buy"}, {"transaction spend"}
SOLD, EARNED = {"transaction sold"}, {"transaction revenue"}
OLD_LEGS = {"buy", "sell", "transaction related"}
RELATED = "transaction related"
LEGS = BOUGHT | SPENT | SOLD | EARNED | OLD_LEGS
FEES = {"fee", "transaction fee", "trading fee", "commission"}
# In this order; `outside` is a deposit or a withdrawal by its sign.
RULES: tuple[tuple[str, str], ...] = (
    ("swap", r"token swap|redenominat|rebrand|token migration"),
    ("dividend", r"interest|rewards?\b|rebate|cashback|kickback|airdrop|dividend|distribution"),
    (
        "outside",
        r"sub-?\s?account|p2p|\bpay\b|gift|\bcard\b|fiat|buy crypto|ocbs|crypto box|"
        r"red packet|merchant|^send$|^receive$",
    ),
    ("dust", r"small assets?|\bdust\b"),
    ("convert", r"convert|\botc\b|auto-?conversion|liquid swap|swap farming|eth ?2\.0 staking"),
    (
        "internal",
        r"subscription|subscribe|redemption|redeem|transfer|"
        r"(savings|staking|earn|pool|locked|dual|vault).*(purchase|deposit|withdraw)",
    ),
    (
        "dividend",
        r"referral|referrer|referee|commission|bonus|voucher|launchpool|launchpad|mining|"
        r"incentive|earnings|vault|learn",
    ),
    ("outside", r"deposit|withdraw"),
)
KNOWN = [(kind, re.compile(pattern)) for kind, pattern in RULES]
INCOME: tuple[tuple[str, str], ...] = (
    ("FUNDING_FEE", r"funding"),
    ("REALIZED_PNL", r"reali[sz]ed? "),
    ("INSURANCE_CLEAR", r"insur"),
    ("COMMISSION_REBATE", r"rebate|kickback|referr"),
    ("COMMISSION", r"fee$|commission"),
    ("TRANSFER", r"transfer"),
    ("AUTO_EXCHANGE", r"auto.?exchange"),
)
INCOMES = [(kind, re.compile(pattern)) for kind, pattern in INCOME]
WALLETS: tuple[tuple[str, str], ...] = (
    ("coinm", r"coin.*future|^cm\b"),
    ("usdm", r"future|^um\b"),
    ("margin", r"margin"),
    ("earn", r"earn|saving|stak|pool|locked|flexible|defi|vault|launch"),
    ("funding", r"fund|p2p|card|fiat"),
    ("options", r"option"),
    ("spot", r"spot|main|^$"),
)
HOLDS = [(wallet, re.compile(pattern)) for wallet, pattern in WALLETS]
LONGEST = 40


def plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def kind_of(operation: str, amount: Decimal) -> str:
    """A kind of Transfer, by the operation's plain name; `other` for what is unknown."""
    kind = next((kind for kind, pattern in KNOWN if pattern.search(operation)), "other")
    if kind == "outside":
        return "deposit" if amount > 0 else "withdrawal"
    return kind


def income_of(operation: str) -> str:
    """A kind of futures income, as the API calls it; of an unknown one its own name."""
    known = next((kind for kind, pattern in INCOMES if pattern.search(operation)), None)
    return known or re.sub(r"[^A-Z0-9]+", "_", operation.upper())[:LONGEST]


def wallet_of(account: str) -> str:
    name = plain(account)
    known = next((wallet for wallet, pattern in HOLDS if pattern.search(name)), None)
    return known or re.sub(r"[^a-z0-9]+", "-", name)[:16]
