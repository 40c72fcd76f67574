"""Two free sets of trades side by side; the address keeps both."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import SignedInRequest
from journal.drawings.curves import Curves, Line, curves, day_words, of_days
from journal.filters import TradeFilter
from journal.models import Preferences
from journal.selectors import two_sets
from journal.selectors.dimensions import DIMENSIONS
from journal.selectors.report_rows import Row, in_unit, load
from journal.selectors.units import axis_words
from journal.views.bar import (
    SECOND,
    bar,
    chips,
    joined,
    presets,
    read_filter,
    read_second,
    second_query,
)
from journal.views.drawing import largest_of


@login_required
@never_cache
@require_GET
def compare(request: SignedInRequest) -> HttpResponse:
    """The filters' trades beside those of a second set (`b_symbol` and so on; `beside=set` where
    it is of no filter), or beside all the others."""
    trade_filter, problem = read_filter(request)
    second_filter, second_problem = read_second(request)
    context = bar(request, trade_filter, problem)
    chosen: Preferences = context["chosen"]
    is_free = request.GET.get("beside") == "set" or bool(second_filter.query)
    first = _rows(request, trade_filter, chosen)
    second = _rows(request, second_filter if is_free else TradeFilter(), chosen)
    shared = {row.id for row in first} & {row.id for row in second}
    if not is_free:
        second = [row for row in second if row.id not in shared]
    by = request.GET.get("by", "")
    by = by if by in DIMENSIONS else "symbol"
    pairs = two_sets.parts(first, second, by, chosen)
    differences = [(pair, pair.mean) for pair in pairs]
    context |= {
        "is_free": is_free,
        "shared": len(shared) if is_free else 0,
        "pair": two_sets.whole(first, second),
        "by": by,
        "by_label": DIMENSIONS[by][0],
        "dimensions": [(name, label) for name, (label, _names) in DIMENSIONS.items()],
        "pairs": differences,
        "scale": largest_of(spread for _pair, spread in differences if spread is not None),
        "drawing": _drawn(first, second, chosen, request.user.report_currency),
        **_second(trade_filter, second_filter, by, chosen),
        "second_problem": second_problem,
    }
    return render(request, "journal/compare.html", context)


def _rows(request: SignedInRequest, trade_filter: TradeFilter, chosen: Preferences) -> list[Row]:
    return in_unit(load(request.user, trade_filter.apply(request.user, chosen), chosen), chosen)


def _second(
    trade_filter: TradeFilter, second_filter: TradeFilter, by: str, chosen: Preferences
) -> dict[str, object]:
    """What the bar of the second set shows, and the queries of its links."""
    kept = {**trade_filter.query, "by": by}

    def query_of(wanted: TradeFilter) -> str:
        return joined(urlencode({**kept, "beside": "set"}), second_query(wanted))

    swapped = joined(
        second_filter.text, urlencode({"by": by, "beside": "set"}), second_query(trade_filter)
    )
    return {
        "prefix": SECOND,
        "second": second_filter,
        "second_kept": {**kept, "beside": "set"},
        "second_chips": chips(second_filter, query_of),
        "second_presets": presets(second_filter, chosen, query_of),
        "second_cleared": query_of(TradeFilter()),
        "others": urlencode(kept),
        "swapped": swapped,
        "both": joined(trade_filter.text, "beside=set", second_query(second_filter)),
    }


def _drawn(
    first: list[Row], second: list[Row], chosen: Preferences, currency: str
) -> Curves | None:
    """Results added up, of both over the same days."""
    lines = [
        Line(_("First set"), "accent", of_days(two_sets.added_up(first, chosen))),
        Line(_("Second set"), "mixed", of_days(two_sets.added_up(second, chosen))),
    ]
    words = axis_words(chosen, currency)
    return curves(lines, words, day_words(lambda day: date_format(day, "j M Y")))
