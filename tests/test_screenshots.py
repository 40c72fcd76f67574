"""Every address that pictures are made of is a page."""

import pytest
from django.test import Client

from accounts.models import User
from tests.conftest import MakeInstrument
from tests.journal.accounts import make_account, some_trades
from tests.screenshots import PAGES, SIGNED_OUT
from tests.signing_in import sign_in

# staff need a second factor, which the demo's user is excused from
EXPECTED = {"not-found": 404, "imports": 403}


@pytest.mark.django_db
def test_every_picture_is_of_a_page(alice: User, make_instrument: MakeInstrument) -> None:
    for market in ("spot", "usdm"):
        make_instrument(market=market)
    some_trades(make_account(alice))
    visitor, browser = Client(), sign_in(Client(), alice)
    for name, address in PAGES.items():
        client = visitor if name in SIGNED_OUT else browser
        assert client.get(address, follow=True).status_code == EXPECTED.get(name, 200), name
