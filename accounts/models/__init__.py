"""Who you are: users, their API tokens, their exchange accounts, and who did what."""

from accounts.models.audit import AuditEntry
from accounts.models.exchange import ExchangeAccount, ExchangeAccountQuerySet
from accounts.models.keys import KeyEncryptionKey, KeyHolder
from accounts.models.tokens import ApiToken
from accounts.models.users import User

__all__ = [
    "ApiToken",
    "AuditEntry",
    "ExchangeAccount",
    "ExchangeAccountQuerySet",
    "KeyEncryptionKey",
    "KeyHolder",
    "User",
]
