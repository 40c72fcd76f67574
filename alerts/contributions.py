"""What alerts give to the apps below: a live topic, and the markets that they look at."""

from alerts.selectors.markets import wanted_markets
from journal.services import watching
from market.live import private

private.register("alerts")
watching.also_follow(wanted_markets)
