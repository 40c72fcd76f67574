"""Keeps out of every log line what is nobody's business: secrets, tokens, mail addresses, amounts.

The first rule is that nothing of it is logged at all; this is the net below it, also for the lines
of libraries and the texts of exceptions.
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

HIDDEN = "[hidden]"
DEPTH = 6
SECRET_NAME = re.compile(
    r"secret|passw|passphrase|token|signature|cookie|authorization|api_?key|session_?key|private"
    r"|recovery|otp|(?:^|_)e?mail|address_of_user",
    re.IGNORECASE,
)
# Whole parts of a name: `fee` and `fee_usd`, not `feed`.
AMOUNT_NAME = re.compile(
    r"(?:^|_)(?:amount|quantity|qty|price|balance|worth|equity|money|notional|pnl|net|gross|fees?"
    r"|realised|realized|unrealised|risk|margin|profit|loss|cost|deposit|withdrawal)(?:_|$)",
    re.IGNORECASE,
)
TEXTS = (
    # a block of PEM, whole
    (re.compile(r"-----BEGIN [^-]+-----.*?(?:-----END [^-]+-----|\Z)", re.DOTALL), HIDDEN),
    # who signs in to a server: postgresql://user:password@host
    (re.compile(r"(://)[^\s/@:]*:[^\s/@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), HIDDEN),
    (re.compile(r"\b(Token|Bearer|Basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"\b(signature|api_?key|token|secret|password|listenKey|X-MBX-APIKEY)"
            r"([\"']?\s*[=:]\s*[\"']?)[^\s&\"',;]+",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    # what looks like a key: Binance's have 64 characters, our tokens 43; ids are shorter
    (re.compile(r"(?<![\w-])[A-Za-z0-9_-]{40,}(?![\w-])"), HIDDEN),
    # how much of a coin
    (re.compile(r"(?<![\w.:-])[+-]?\d[\d,]*(?:\.\d+)? ?(?:[A-Z]{3,10}|\$|€)(?![\w.])"), HIDDEN),
    (re.compile(r"[$€₩]\s?\d[\d,]*(?:\.\d+)?"), HIDDEN),
)


def keep_private(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A step of structlog."""
    for name, value in event.items():
        event[name] = _clean(name, value, DEPTH)
    return event


def clean_text(text: str) -> str:
    for pattern, instead in TEXTS:
        text = pattern.sub(instead, text)
    return text


def _clean(name: str, value: Any, depth: int) -> Any:
    if isinstance(value, bool) or value is None:
        return value
    if AMOUNT_NAME.search(name):
        return HIDDEN
    if isinstance(value, int):  # the id of a token, say
        return value
    if SECRET_NAME.search(name):
        return HIDDEN
    if isinstance(value, float):
        return value
    if not depth:
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(key): _clean(str(key), item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(name, item, depth - 1) for item in value]
    return clean_text(str(value))
