"""Small drawings inside tables: one bar each, readable by its words without colour or sight."""

from collections.abc import Sequence
from decimal import Decimal

from django import template
from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from journal.drawings.spreads import Point
from journal.metrics.spread import Spread
from journal.models import Trade
from journal.selectors.sums import Sums
from journal.templatetags.journal_texts import HIDDEN
from journal.views.executions import signed_share

register = template.Library()

WIDTH = 90
MIDDLE = WIDTH // 2
NOTHING = SafeString("–")


@register.simple_tag
def range_bar(trade: Trade) -> SafeString:
    """The worst and the best that the trade stood at while it was open, and where it ended, from
    the entry in the middle."""
    if trade.worst is None or trade.best is None or trade.is_open:
        return NOTHING
    worst, best = min(trade.worst, Decimal(0)), max(trade.best, Decimal(0))
    largest = max(-worst, best, abs(trade.gross))
    if not largest:
        return NOTHING
    left, right, end = (_x(value, largest) for value in (worst, best, trade.gross))
    return format_html(
        '<svg class="range" viewBox="0 0 {} 14" role="img" aria-label="{}">'
        '<line x1="0" x2="{}" y1="7" y2="7"/>'
        '<rect class="down" x="{}" y="4" width="{}" height="6"/>'
        '<rect class="up" x="{}" y="4" width="{}" height="6"/>'
        '<rect class="end" x="{}" y="1" width="2" height="12"/></svg>',
        WIDTH,
        gettext("Worst, best, exit"),
        WIDTH,
        left,
        MIDDLE - left,
        MIDDLE,
        right - MIDDLE,
        min(WIDTH - 2, max(0, end - 1)),
    )


@register.filter
def share_text(share: Decimal | None) -> str:
    """+0.31: the takers' imbalance on the trade's side."""
    return NOTHING if share is None else signed_share(share)


@register.simple_tag
def flow_bar(trade: Trade) -> SafeString:
    """The takers' imbalance before the entry: to the right with the trade, to the left against."""
    share = trade.flow_share
    if share is None:
        return SafeString("")
    x = _x(share, Decimal(1))
    return format_html(
        '<svg class="flow-bar" viewBox="0 0 {} 14" aria-hidden="true">'
        '<rect class="{}" x="{}" y="3" width="{}" height="8"/>'
        '<line x1="{}" x2="{}" y1="1" y2="13"/></svg>',
        WIDTH,
        "up" if share > 0 else "down",
        min(x, MIDDLE),
        abs(x - MIDDLE),
        MIDDLE,
        MIDDLE,
    )


@register.simple_tag
def flow_strip(sums: Sums) -> SafeString:
    """How many of a day's or week's judged trades went with the flow (left) and against it (right);
    what lies between was mixed."""
    judged = sums.with_verdict
    if not judged:
        return SafeString("")
    with_flow = sums.with_flow * WIDTH // judged
    against = sums.against_flow * WIDTH // judged
    return format_html(
        '<svg class="flow-strip" viewBox="0 0 {} 2" preserveAspectRatio="none" role="img">'
        "<title>{}</title>"
        '<rect width="{}" height="2"/><rect class="up" width="{}" height="2"/>'
        '<rect class="down" x="{}" width="{}" height="2"/></svg>',
        WIDTH,
        gettext("%(with)s with the flow, %(against)s against it, of %(judged)s")
        % {"with": sums.with_flow, "against": sums.against_flow, "judged": judged},
        WIDTH,
        with_flow,
        WIDTH - against,
        against,
    )


def _x(value: Decimal, largest: Decimal) -> int:
    return MIDDLE + int(value / largest * MIDDLE)


@register.simple_tag
def range_line(spread: Spread, largest: Decimal) -> SafeString:
    """A mean with its 95 % range around zero in the middle; hollow where the range holds zero."""
    low, high = (spread.mean if end is None else end for end in (spread.low, spread.high))
    tone = "flat" if spread.crosses_zero else "up" if spread.mean > 0 else "down"
    wide = [
        MIDDLE * 2 + (int(value / largest * 84) if largest else 0)
        for value in (low, high, spread.mean)
    ]
    return format_html(
        '<svg class="spread {}" viewBox="0 0 180 12" aria-hidden="true">'
        '<line class="axis" x1="0" x2="180" y1="6" y2="6"/>'
        '<line class="axis" x1="90" x2="90" y1="1" y2="11"/>'
        '<line x1="{}" x2="{}" y1="6" y2="6"/><circle cx="{}" cy="6" r="3.5"/></svg>',
        tone,
        *wide,
    )


@register.simple_tag
def mini_bars(values: Sequence[Decimal], most: int = 7) -> SafeString:
    """A bar a value, up or down from the middle, in a drawing that has room for so many."""
    values, step = values or (), 60 // most
    largest = max((abs(value) for value in values), default=Decimal(0))
    if not largest:
        return SafeString("")
    bars = [(n, int(abs(value) / largest * 9), value) for n, value in enumerate(values)]
    return format_html(
        '<svg class="mini" viewBox="0 0 60 20" aria-hidden="true">{}</svg>',
        format_html_join(
            "",
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
            (
                (
                    "up" if value > 0 else "down",
                    60 - step * (len(bars) - n),
                    10 - height if value > 0 else 10,
                    step - 1,
                    max(1, height),
                )
                for n, height, value in bars
            ),
        ),
    )


@register.simple_tag
def mini_line(values: Sequence[Decimal]) -> SafeString:
    """A line through the values, coloured by its end."""
    if len(values) < 2 or min(values) == max(values):
        return SafeString("")
    low, high = min(values), max(values)
    points = " ".join(
        f"{60 * n // (len(values) - 1)},{int(19 - (value - low) / (high - low) * 18)}"
        for n, value in enumerate(values)
    )
    return format_html(
        '<svg class="mini" viewBox="0 0 60 20" aria-hidden="true">'
        '<polyline class="{}" points="{}"/></svg>',
        "up" if values[-1] >= values[0] else "down",
        points,
    )


@register.simple_tag
def picture_points(points: Sequence[Point], hides: bool) -> SafeString:
    """Each with its words, and a way to its trade; thousands of them."""
    before, _, after = reverse("trade", args=[0]).rpartition("0")
    drawn = [
        f'<a href="{before}{point.key}{after}" tabindex="-1"><circle class="picture-point '
        f'{"up" if point.is_gain else "down"}" cx="{point.x}%" cy="{point.y}%" r="3.5">'
        f"<title>{HIDDEN if hides else escape(point.text)}</title></circle></a>"
        for point in points
    ]
    return mark_safe("".join(drawn))  # noqa: S308  (numbers, and words that are escaped)


@register.simple_tag
def split_bar(won: Decimal | int, lost: Decimal | int) -> SafeString:
    """Two parts of one whole: what was won beside what was lost."""
    won, lost = abs(Decimal(won)), abs(Decimal(lost))
    if not won + lost:
        return SafeString("")
    width = int(won / (won + lost) * 60)
    return format_html(
        '<svg class="mini" viewBox="0 0 60 20" aria-hidden="true">'
        '<rect class="up" x="0" y="7" width="{}" height="6"/>'
        '<rect class="down" x="{}" y="7" width="{}" height="6"/></svg>',
        max(0, width - 1),
        width + 1,
        max(0, 59 - width),
    )
