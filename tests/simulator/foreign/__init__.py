"""Binance clients that other people wrote, against the simulator: they are the judges here."""
