"""Any two measures of one's trades as a picture, and the trades in a part of it."""

import math

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.requests import SignedInRequest
from journal.drawings.curves import Words
from journal.drawings.scales import by_minutes, short
from journal.drawings.spreads import scatter as drawn
from journal.models import Preferences, Trade
from journal.selectors.scatter import MEASURES, Box, Dot, dots
from journal.selectors.trades import with_notes
from journal.selectors.units import axis_words
from journal.views.bar import bar, read_filter

ACROSS, UP = "hold", "net"
MOST_LINES = 100
EDGES = ("left", "right", "bottom", "top")


@login_required
@never_cache
@require_GET
def scatter(request: SignedInRequest) -> HttpResponse:
    """`x` and `y` name measures; `left right bottom top` a part of the picture. `X-Part: lines`
    asks for the trades of that part alone."""
    trade_filter, problem = read_filter(request)
    context = bar(request, trade_filter, problem)
    chosen = context["chosen"]
    across, up = _measure(request, "x", ACROSS), _measure(request, "y", UP)
    box = Box(**{edge: _edge(request, edge) for edge in EDGES})
    found, without = dots(request.user, trade_filter, chosen, across, up)
    inside = [] if box.is_open else [dot for dot in found if box.holds(dot)]
    ids = [dot.row.id for dot in inside[::-1][:MOST_LINES]]
    trades = Trade.objects.visible_to(request.user).in_bulk(ids)
    context |= {
        "lines": with_notes(request.user, [trades[pk] for pk in ids if pk in trades]),
        "inside": len(inside),
        "box": box,
    }
    if request.headers.get("X-Part") == "lines":
        return render(request, "journal/insight/_scatter_lines.html", context)
    x_words, y_words = (_words(name, chosen, request.user.report_currency) for name in (across, up))
    context |= {
        "name": "scatter",
        "across": across,
        "up": up,
        "measures": [(name, _(label)) for name, (label, _of, _tens) in MEASURES.items()],
        "drawing": drawn([_point(dot, y_words) for dot in found], x_words, y_words),
        "count": len(found),
        "without": without,
    }
    return render(request, "journal/insight_scatter.html", context)


def _measure(request: HttpRequest, name: str, default: str) -> str:
    wanted = request.GET.get(name, "")
    return wanted if wanted in MEASURES else default


def _edge(request: HttpRequest, name: str) -> float | None:
    """What is no number is no edge."""
    try:
        value = float(request.GET.get(name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _point(dot: Dot, words: Words) -> tuple[float, float, int, str]:
    return dot.x, dot.y, dot.row.id, f"{dot.row.symbol} {words(dot.y)}"


def _words(name: str, chosen: Preferences, currency: str) -> Words:
    if name == "net":
        return axis_words(chosen, currency)
    if name == "hold":
        return by_minutes
    _label, _of, is_by_tens = MEASURES[name]
    if is_by_tens:
        return lambda value: short(10**value, is_signed=False)
    return lambda value: short(value, is_signed=name.endswith("_r") or name in {"r", "flow_share"})
