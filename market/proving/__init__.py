"""Bars and whole days against the exchange's own truth."""
