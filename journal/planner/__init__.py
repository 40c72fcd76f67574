"""Order flow for every fill: what all accounts need of a day, and the cheapest way there."""
