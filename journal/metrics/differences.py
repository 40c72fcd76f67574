"""One figure less another, of two sets of trades, with the range of the difference.

Each end is the difference less, or plus, the root of the two distances to the ranges' own ends,
squared and added: of shares by Wilson's ranges (Newcombe 1998, method 10), of means by their normal
ranges the usual one (Zou & Donner 2008 for why both are one rule). The sets are taken to be of
different trades; where they share some, the range is rather too wide.
"""

from journal.metrics.spread import Spread


def difference(first: Spread, second: Spread) -> Spread:
    """Without a range where one of the two has none."""
    value = first.mean - second.mean
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Spread(value, None, None)
    down = (first.mean - first.low) ** 2 + (second.high - second.mean) ** 2
    up = (first.high - first.mean) ** 2 + (second.mean - second.low) ** 2
    return Spread(value, value - down.sqrt(), value + up.sqrt())
