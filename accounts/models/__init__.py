"""Who you are: users, their tokens, their exchange accounts, and who did what."""

from accounts.models.audit import SERVER, AuditChain, AuditEntry, CredentialUse
from accounts.models.exchange import ExchangeAccount, ExchangeAccountQuerySet, TradingKey
from accounts.models.keys import KeyEncryptionKey, KeyHolder
from accounts.models.privacy import Export, Invitation
from accounts.models.tokens import ApiToken
from accounts.models.users import User

__all__ = [
    "SERVER",
    "ApiToken",
    "AuditChain",
    "AuditEntry",
    "CredentialUse",
    "ExchangeAccount",
    "ExchangeAccountQuerySet",
    "Export",
    "Invitation",
    "KeyEncryptionKey",
    "KeyHolder",
    "TradingKey",
    "User",
]
