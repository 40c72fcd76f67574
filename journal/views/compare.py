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
from journal.selectors.dimensions import DIMENSIONS, by_section
from journal.selectors.two_sets import TwoSets
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
    by = request.GET.get("by", "")
    by = by if by in DIMENSIONS else "symbol"
    both = TwoSets(
        trade_filter.apply(request.user, chosen),
        (second_filter if is_free else TradeFilter()).apply(request.user, chosen),
        is_of_others=not is_free,
        chosen=chosen,
        dimension=by,
    )
    differences = [(pair, pair.mean) for pair in both.parts()]
    context |= {
        "is_free": is_free,
        "shared": both.shared,
        "pair": both.whole(),
        "by": by,
        "by_label": DIMENSIONS[by].label,
        "sections": by_section(),
        "pairs": differences,
        "scale": largest_of(spread for _pair, spread in differences if spread is not None),
        "drawing": _drawn(both, request.user.report_currency),
        **_second(trade_filter, second_filter, by, chosen),
        "second_problem": second_problem,
    }
    return render(request, "journal/compare.html", context)


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


def _drawn(both: TwoSets, currency: str) -> Curves | None:
    """Results added up, of both over the same days."""
    first, second = both.by_day()
    lines = [
        Line(_("First set"), "accent", of_days(first)),
        Line(_("Second set"), "mixed", of_days(second)),
    ]
    words = axis_words(both.chosen, currency)
    return curves(lines, words, day_words(lambda day: date_format(day, "j M Y")))
