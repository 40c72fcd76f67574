"""What alerts give to the apps below: a live topic, the markets that they look at, and an ear."""

from alerts.selectors.markets import wanted_markets
from alerts.services import hearing
from journal.services import watching
from market.live import private
from trading import events

private.register("alerts")
watching.also_follow(wanted_markets)
events.register(hearing.hear)
