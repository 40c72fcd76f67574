"""What alerts give to the apps below: a live topic, the markets that they look at, an ear, and what
of theirs is sealed."""

from django.db.models import Q

from accounts.vault import keyring
from alerts.models import Channel, PushKey
from alerts.selectors.markets import wanted_markets
from alerts.services import hearing
from journal.services import watching
from market.live import private
from trading import events

private.register("alerts")
watching.also_follow(wanted_markets)
events.register(hearing.hear)
keyring.register(Channel, Q())
keyring.register(PushKey, Q())
