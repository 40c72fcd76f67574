"""What alerts give to the apps below: a live topic, the markets that they look at, and what they
keep sealed."""

from accounts.vault import holdings
from alerts.models import Channel, PushKey
from alerts.selectors.markets import wanted_markets
from journal.services import watching
from market.live import private

private.register("alerts")
watching.also_follow(wanted_markets)
holdings.register(holdings.of_model(Channel, "alert channels", filled="target"))
holdings.register(holdings.of_model(PushKey, "push key", filled="private"))
