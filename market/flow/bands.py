"""Size bands: which band a quote value falls into.

Bands are half-open, so a value of exactly 1000.00 belongs to the band above; the first band has no
lower edge, so total CVD always equals the sum of the bands. Edges belong to the quote asset and
values are never converted: a BTC-quoted pair has bands in BTC. A set's id is stored with every bar.
"""

from bisect import bisect_right
from dataclasses import dataclass

from lib.decimals import QUOTE_PLACES, scaled

BANDS = 6


@dataclass(frozen=True)
class BandSet:
    """`edges` are the lower edges of bands 1 to 5, scaled by 1e-16 of the quote asset."""

    id: str
    names: tuple[str, ...]
    edges: tuple[int, ...]

    def band(self, quote: int) -> int:
        """Index of the band that holds a quote value scaled by 1e-16."""
        return bisect_right(self.edges, quote)


def _band_set(set_id: str, names: tuple[str, ...], edges: tuple[str, ...]) -> BandSet:
    return BandSet(set_id, names, tuple(scaled(edge, QUOTE_PLACES) for edge in edges))


USD = _band_set(
    "usd-1",
    ("<100", "100-1k", "1k-10k", "10k-100k", "100k-1M", ">=1M"),
    ("100", "1000", "10000", "100000", "1000000"),
)
BTC = _band_set(
    "btc-1",
    ("<0.001", "0.001-0.01", "0.01-0.1", "0.1-1", "1-10", ">=10"),
    ("0.001", "0.01", "0.1", "1", "10"),
)
ETH = _band_set(
    "eth-1",
    ("<0.03", "0.03-0.3", "0.3-3", "3-30", "30-300", ">=300"),
    ("0.03", "0.3", "3", "30", "300"),
)
BNB = _band_set(
    "bnb-1",
    ("<0.1", "0.1-1", "1-10", "10-100", "100-1k", ">=1k"),
    ("0.1", "1", "10", "100", "1000"),
)

SETS = {band_set.id: band_set for band_set in (USD, BTC, ETH, BNB)}
_BY_QUOTE = {"BTC": BTC, "ETH": ETH, "BNB": BNB}


def bands_for(quote_asset: str) -> BandSet:
    """The band set of a quote asset; dollar-like and unknown quotes use the dollar edges."""
    return _BY_QUOTE.get(quote_asset, USD)
