"""Performance metrics, pure. Each says what it is in its docstring and in how-we-calculate.md."""
