"""Binance's files: tables in any wrapping, told by their columns and by whether their rows agree
with themselves, made into rows that name their line. Nothing here asks the database."""
