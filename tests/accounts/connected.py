"""Accounts that are connected to the simulator, in one line."""

from typing import Any

from accounts.models import ExchangeAccount, User
from accounts.services import connecting
from lib.secret import Secret

PAGE = "/account/exchange/"


def connected(user: User, account: dict[str, Any], label: str = "main") -> ExchangeAccount:
    made = connecting.connect(
        user=user,
        label=label,
        api_key=Secret(account["apiKey"]),
        secret=Secret(account["secretKey"]),
    )
    connecting.check(str(made.pk))
    made.refresh_from_db()
    return made
