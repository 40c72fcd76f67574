"""Which tables hold sealed values, so that a rotation of keys misses none of them."""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Q, QuerySet

from accounts.models import ApiToken, ExchangeAccount, TradingKey
from lib.envelope import Binding

Values = dict[str, bytes]
# Factors are sealed before their row exists, so nothing of it can be bound.
FACTOR = Binding("authenticator", "factor", 0, "secret")
FACTOR_MARK = "sealed"


@dataclass(frozen=True)
class Holding:
    """`rows` are those that hold something, `of_key` is what tells a key's rows among them, `put`
    writes new values only where the old ones still stand and says how many rows that were."""

    name: str
    rows: Callable[[], QuerySet[Any]]
    of_key: Callable[[int], Q]
    values: Callable[[Any], Values]
    binding: Callable[[Any, str], Binding]
    put: Callable[[Any, Values, Values, int], int]


def of_model(model: Any, name: str, *, filled: str) -> Holding:
    """A table with `kek_id`, whose rows say `sealed()` and `binding(field)`; `filled` is a column
    that is empty where a row holds nothing."""

    def put(row: Any, old: Values, new: Values, key_id: int) -> int:
        changed: int = model.objects.filter(pk=row.pk, **old).update(**new, kek_id=key_id)
        return changed

    return Holding(
        name,
        rows=lambda: model.objects.exclude(**{filled: b""}),
        of_key=lambda key_id: Q(kek_id=key_id),
        values=lambda row: row.sealed(),
        binding=lambda row, field: row.binding(field),
        put=put,
    )


def of_factor(kind: str, column: str) -> Holding:
    """allauth's second factors of a kind, whose secret is text within `data`."""

    def put(row: Authenticator, old: Values, new: Values, key_id: int) -> int:
        unchanged = Authenticator.objects.filter(pk=row.pk, data=row.data)
        text = factor_text(new[column], key_id)
        return int(unchanged.update(data={**row.data, column: text}))

    return Holding(
        f"second factors ({kind})",
        rows=lambda: Authenticator.objects.filter(
            type=kind, **{f"data__{column}__startswith": f"{FACTOR_MARK}:"}
        ),
        of_key=lambda key_id: Q(**{f"data__{column}__startswith": f"{FACTOR_MARK}:{key_id}:"}),
        values=lambda row: {column: sealed_factor(row.data[column])},
        binding=lambda row, field: FACTOR,
        put=put,
    )


def factor_text(sealed: bytes, key_id: int) -> str:
    return f"{FACTOR_MARK}:{key_id}:{base64.b64encode(sealed).decode()}"


def sealed_factor(text: str) -> bytes:
    return base64.b64decode(text.rpartition(":")[2])


_holdings = [
    of_model(ExchangeAccount, "accounts", filled="api_key"),
    of_model(TradingKey, "keys for orders", filled="api_key"),
    of_model(ApiToken, "tokens", filled="key"),
    of_factor(Authenticator.Type.TOTP, "secret"),
    of_factor(Authenticator.Type.RECOVERY_CODES, "seed"),
]


def register(holding: Holding) -> None:
    """For apps above, when they start."""
    if holding.name not in {known.name for known in _holdings}:
        _holdings.append(holding)


def all_holdings() -> list[Holding]:
    return list(_holdings)
