"""Pure: what an alert waits for, and when that happens in a market's bars. No Django here."""
