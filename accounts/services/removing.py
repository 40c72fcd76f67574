"""An account that its owner deleted with its data: out of everybody's sight at once, its rows go
afterwards, in a worker, table by table; killed anywhere, the next run goes on."""

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from accounts.models import ExchangeAccount
from accounts.services import erasing

log = structlog.get_logger(__name__)

# What is shown and worked on is of this installation's venue: this is nobody's.
GONE = "gone"
OWNER = "account__user"
DELETION_TRIES = 5


def hide(account: ExchangeAccount) -> None:
    """In the transaction in which its owner deletes it; its Binance account and key may be
    connected anew from then on. Its key has been wiped."""
    account.venue, account.binance_uid = GONE, None
    account.api_key_hash = f"gone {account.pk}"
    account.save(force_update=True)


def waiting() -> list[str]:
    return [
        str(pk) for pk in ExchangeAccount.objects.filter(venue=GONE).values_list("pk", flat=True)
    ]


def remove(account_id: str) -> None:
    """Only of one that was hidden."""
    hidden = ExchangeAccount.objects.filter(pk=account_id, venue=GONE)
    if not hidden.exists():
        return
    for model, path in _of_accounts():
        erasing.delete_rows(model, path, account_id)
    for tries_left in reversed(range(DELETION_TRIES)):
        try:
            with transaction.atomic():
                hidden.delete()
                connection.check_constraints()
        except IntegrityError:  # a worker wrote a row of it meanwhile
            if not tries_left:
                raise
        else:
            break
    log.info("account removed", account=account_id)


def _of_accounts() -> list[tuple[type[Model], str]]:
    """Tables that lead to a user by an account, with how a row leads to the account."""
    return [
        (model, path.removesuffix("__user"))
        for model, path in erasing.children_first()
        if path.endswith(OWNER) and model is not ExchangeAccount
    ]
