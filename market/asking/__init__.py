"""The exchange asked for times that nobody collected: candles, aggregates, the archive's days."""
