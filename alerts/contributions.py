"""What alerts give to the apps below: a live topic, the markets that they look at, an ear, and what
they keep sealed."""

from accounts.vault import holdings
from alerts.models import Channel, PushKey
from alerts.selectors.markets import wanted_markets
from alerts.services import hearing
from journal.services import watching
from market.live import private
from trading import events

private.register("alerts")
watching.also_follow(wanted_markets)
events.register(hearing.hear)
holdings.register(holdings.of_model(Channel, "alert channels", filled="target"))
holdings.register(holdings.of_model(PushKey, "push key", filled="private"))
