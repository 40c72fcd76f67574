"""What is left of an account that was deleted with its data: nothing."""

import pytest

from accounts.models import User
from accounts.services import connecting, removing
from journal.models import Annotation, Fill, Screenshot, Trade
from journal.services import annotating, cleaning
from tests.journal.accounts import make_account, some_trades

pytestmark = pytest.mark.django_db


def test_notes_go_with_their_account_and_no_others(alice: User, bob: User) -> None:
    for user in (alice, bob):
        some_trades(make_account(user))
        for trade in Trade.objects.visible_to(user):
            annotating.annotate(user=user, trade=trade, changes={"note": "mine"})
            Screenshot.objects.create(user=user, trade_key=trade.key, image=b"x", width=1, height=1)
    assert cleaning.forget_orphans() == 0
    account = alice.exchange_accounts.get()
    connecting.disconnect(account=account, user=alice, with_data=True)
    removing.remove(str(account.pk))
    assert cleaning.forget_orphans() > 0
    assert not Fill.objects.filter(account__user=alice).exists()
    assert not Annotation.objects.filter(user=alice).exists()
    assert not Screenshot.objects.filter(user=alice).exists()
    assert Annotation.objects.filter(user=bob).count() == Trade.objects.visible_to(bob).count()
