"""Bars of times that nobody collected, and which of two bars stands."""
