"""What the exchange tells of times that nobody collected: candles, aggregates, day files."""
