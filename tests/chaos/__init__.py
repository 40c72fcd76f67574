"""The campaign: real processes and servers, everything that can break, and exact sums after it."""
