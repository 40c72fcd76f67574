"""What the journal adds to the rooms below it, in every process that knows the app."""

from journal.stamps import pins
from market.archive import pins as retention_pins
from market.live import private

private.register("account", "pnl")
retention_pins.register(pins.keep)
