"""Why a balance differs, as a sentence for its owner, and what to do about it."""

from decimal import Decimal

from django.utils.translation import gettext as _

from journal.models import Difference
from lib.decimals import plain


def explain(row: Difference) -> str:
    """Empty where both agree."""
    detail = row.detail
    size = plain(abs(Decimal(row.reported - row.calculated)))
    if row.cause in {"missing_trade", "missing_fee"}:
        side = _("purchase") if detail["side"] == "BUY" else _("sale")
        sentence = _(
            "A %(side)s of %(quantity)s %(base)s for %(value)s %(quote)s (at %(price)s) is "
            "missing: Binance does not tell of it any more."
        ) % {**detail, "side": side}
        if detail.get("before"):
            sentence += " " + _("It was before %(day)s.") % {"day": detail["before"][:10]}
        if row.cause == "missing_fee":
            sentence += " " + _("%(size)s %(asset)s was its fee.") % {
                "size": size,
                "asset": row.asset,
            }
        return sentence
    values = {"size": size, "asset": row.asset, "day": str(detail.get("before", ""))[:10]}
    return {
        "": "",
        "rounding": _("A difference in the last digit: the exchange's own rounding."),
        "missing_history": _(
            "By its history this balance was below zero on %(day)s: something before that day is "
            "missing. Import Binance's own export of that time."
        ),
        "moved_in": _(
            "%(size)s %(asset)s more than its history tells: it came in by a way that Binance's "
            "API does not tell of (P2P, card, gift), or before the history begins."
        ),
        "moved_out": _(
            "%(size)s %(asset)s less than its history tells: it went to another wallet (Earn, "
            "Funding), or out by a way that Binance's API does not tell of."
        ),
    }.get(row.cause, _("Unknown.")) % values
