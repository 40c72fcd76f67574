"""Who may touch which exchange account: the one way to get at it."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from accounts.models import ExchangeAccount, User


def own_account(user: User, account_id: UUID) -> ExchangeAccount:
    """Raises Http404 for anything that is not this user's."""
    return get_object_or_404(ExchangeAccount.objects.visible_to(user), pk=account_id)
