"""Accounts at the exchange: keys, balances, orders, positions, and everything that moved them."""
