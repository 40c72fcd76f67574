"""Numbers as a trader reads them: signs, thousands, units, and the eye that hides amounts."""

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from urllib.parse import urlencode

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, gettext_noop

from journal.answers import is_number
from journal.metrics.undefined import Undefined
from journal.models import Difference, Preferences, Sync, Trade
from journal.selectors.causes import explain as sentence
from journal.selectors.insight_words import band_name, group_of, market_name
from journal.selectors.sums import Sums
from journal.selectors.trades import Line
from journal.services.markdown import render
from lib.decimals import MINUS

register = template.Library()
register.filter("band_name", band_name)
register.filter("market_name", market_name)

HIDDEN = "•••"
NOTHING = "–"
# larger amounts are told in thousands where columns are narrow
BRIEF_FROM = 10_000
# what metrics say that have no value
WORDS = (gettext_noop("no losses"), gettext_noop("under 90 days"))
# (Korean, of this year) -> how a day is written
DAYS = {
    (True, True): "n월 j일 (D)",
    (True, False): "Y년 n월 j일",
    (False, True): "D j M",
    (False, False): "j M Y",
}
SYMBOLS = {"USD": "$", "EUR": "€", "BTC": "₿"}
Context = dict[str, Any]


def word(value: object) -> str:
    """What a metric says that has no value."""
    return NOTHING if value == Undefined.NOTHING else gettext(str(value))


def grouped(value: Decimal, places: int) -> str:
    """`1,234.50`; the minus is U+2212."""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    text = f"{abs(rounded):,.{places}f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def signed(value: Decimal, places: int, unit: str = "", before: str = "") -> str:
    """A gain carries +, zero no sign."""
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    sign = "+" if rounded > 0 else MINUS if rounded < 0 else ""
    return f"{sign}{before}{abs(rounded):,.{places}f}{unit}"


def coloured(text: str, value: Decimal | None) -> SafeString:
    is_zero = text != HIDDEN and not re.search("[1-9]", text)
    kind = "" if is_zero or not value else "up" if value > 0 else "down"
    return mark_safe(f'<span class="amount {kind}">{text}</span>')  # noqa: S308  (our own digits)


def chosen_of(context: Context) -> Preferences:
    found: Preferences | None = context.get("preferences")
    return found or Preferences()


def money_text(context: Context, value: Any, *, is_signed: bool = True) -> str:
    """In the report currency."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, Undefined):
        return word(value)
    if chosen_of(context).hides_amounts:
        return HIDDEN
    currency = context.get("currency") or "USD"
    places = 2 if currency in {"USD", "EUR"} else 6
    symbol = SYMBOLS.get(currency, "")
    unit = "" if symbol else f" {currency}"
    amount = Decimal(value)
    if is_signed:
        return signed(amount, places, unit, symbol)
    return f"{MINUS if amount < 0 else ''}{symbol}{grouped(abs(amount), places)}{unit}"


@register.simple_tag(takes_context=True)
def money(context: Context, value: Any) -> SafeString:
    """A result: signed and coloured."""
    return coloured(money_text(context, value), _number(value))


@register.simple_tag(takes_context=True)
def worth(context: Context, value: Any) -> str:
    """A size, fee or balance: no sign of a gain."""
    return money_text(context, value, is_signed=False)


@register.simple_tag(takes_context=True)
def result(context: Context, line: Line) -> SafeString:
    """A trade's net in the unit that its owner has chosen."""
    unit = chosen_of(context).unit
    if unit == Preferences.Unit.PERCENT:
        return percent(line.percent)
    if unit == Preferences.Unit.RISK:
        return risk(line.r)
    return money(context, line.trade.net_money)


@register.simple_tag(takes_context=True)
def sum_result(context: Context, sums: Sums) -> SafeString:
    """The same of a sum; an R is of the trades of which a risk is known, and says so."""
    if sums.unpriced and not sums.count:
        return SafeString(NOTHING)
    unit = chosen_of(context).unit
    if unit == Preferences.Unit.PERCENT:
        value = sums.percent
        return percent(value if isinstance(value, Decimal) else None)
    return _risk_sum(sums) if unit == Preferences.Unit.RISK else money(context, sums.net)


def _risk_sum(sums: Sums) -> SafeString:
    if not sums.r_count:
        return SafeString(NOTHING)
    if sums.r_count == sums.count:
        return risk(sums.r)
    return mark_safe(f"{risk(sums.r)} <small>n = {sums.r_count}</small>")  # noqa: S308  (ours)


@register.simple_tag(takes_context=True)
def short_result(context: Context, sums: Sums) -> SafeString:
    """For cells of a calendar: whole units, thousands as k."""
    chosen = chosen_of(context)
    if chosen.unit == Preferences.Unit.PERCENT:
        value = sums.percent
        return percent(value if isinstance(value, Decimal) else None)
    if chosen.unit == Preferences.Unit.RISK:
        return risk(sums.r) if sums.r_count else SafeString(NOTHING)
    if chosen.hides_amounts:
        return coloured(HIDDEN, sums.net)
    size = abs(sums.net)
    if size >= 10_000:
        return coloured(signed(sums.net / 1000, 1, "k"), sums.net)
    return coloured(signed(sums.net, 0 if size >= 1 else 2), sums.net)


@register.simple_tag(takes_context=True)
def sorted_by(context: Context, name: str, label: str) -> SafeString:
    """A column's head: a press sorts by it, another one the other way round."""
    sort = str(context.get("sort", ""))
    arrow = {name: " ↑", f"-{name}": " ↓"}.get(sort, "")
    wanted = name if sort == f"-{name}" else f"-{name}"
    query = context.get("filter_query", "")
    link = "?{}&sort={}" if query else "?{}sort={}"
    return format_html('<a href="{}">{}{}</a>', link.format(query, wanted), label, arrow)


@register.simple_tag(takes_context=True)
def quote_amount(context: Context, value: Decimal | str | None, trade: Trade) -> str:
    """An amount in the trade's own quote asset. A template's missing value is an empty text."""
    if value is None or isinstance(value, str):
        return NOTHING
    if chosen_of(context).hides_amounts:
        return HIDDEN
    return f"{signed(value, 2)} {trade.quote}"


@register.simple_tag(takes_context=True)
def quote_cost(context: Context, value: Decimal | str | None, trade: Trade) -> str:
    """A fee: it has no sign of a gain."""
    if value is None or isinstance(value, str):
        return NOTHING
    return HIDDEN if chosen_of(context).hides_amounts else f"{grouped(value, 2)} {trade.quote}"


@register.filter
def coverage_note(note: str) -> str:
    known = {
        "hole": gettext("Part of it was not read in time: import Binance's own export of it."),
        "older": gettext("Older years are read one by one."),
        "six_months": gettext("Binance tells of six months; older ones come from futures income."),
        "unknown_symbol": gettext("Binance does not list this symbol any more."),
        "unknown_coins": gettext("Some fills were left out: nothing says which coins they moved."),
        "dust_hundred": gettext("Binance tells of the last hundred only."),
    }
    return known.get(note, note)


@register.filter
def percent(value: Decimal | str | None) -> SafeString:
    if value is None or isinstance(value, str):
        return SafeString(NOTHING)
    return coloured(signed(value, 2, "%"), value)


@register.filter
def signed_whole(value: Any) -> SafeString:
    """A delta in quote, as a bar's window keeps it (text or number): whole, signed, coloured."""
    if value is None or value == "":
        return SafeString(NOTHING)
    number = Decimal(str(value))
    return coloured(signed(number, 0), number)


@register.filter
def signed_brief(value: Any) -> SafeString:
    """The same where columns are narrow: large ones in thousands, with the whole as a title."""
    if value is None or value == "":
        return SafeString(NOTHING)
    number = Decimal(str(value))
    if abs(number) < BRIEF_FROM:
        return signed_whole(value)
    short = signed(number / 1000, 1 if abs(number) < BRIEF_FROM * 100 else 0, "k")
    return format_html('<span title="{}">{}</span>', signed(number, 0), coloured(short, number))


@register.filter
def group_words(name: str, dimension: str) -> str:
    """A report's group as one reads it; what is sorted and addressed is its name."""
    return group_of(dimension, name)


@register.filter
def risk(value: Decimal | str | None) -> SafeString:
    if value is None or isinstance(value, str):
        return SafeString(NOTHING)
    return coloured(signed(value, 2, "R"), value)


@register.filter
def rate(value: Any) -> str:
    """A share as a percentage of one place, or the word that stands for none."""
    if value is None or value == "":
        return NOTHING
    return f"{grouped(value * 100, 1)}%" if isinstance(value, Decimal) else word(value)


@register.filter
def fine_rate(value: Decimal | None) -> str:
    """For small shares: three places."""
    return NOTHING if value is None else f"{grouped(value * 100, 3)}%"


@register.filter
def fixed(value: Decimal | float | None, places: int = 2) -> str:
    """A figure without a unit: a correlation."""
    return NOTHING if value is None else grouped(Decimal(str(value)), places)


@register.filter
def part(value: Decimal | float | None) -> str:
    """A share of one that was counted, in whole percent."""
    return NOTHING if value is None else f"{grouped(Decimal(str(value)) * 100, 0)}%"


@register.filter
def ratio(value: Any) -> str:
    if value is None or value == "":
        return NOTHING
    return grouped(value, 2) if isinstance(value, Decimal) else word(value)


@register.filter
def price(value: Decimal | str | None) -> str:
    """As many places as it has, at least two; the smaller it is the more, at most eight."""
    number = _number(value)
    if number is None:
        return NOTHING
    size = abs(number)
    most = 2 if size >= 1000 else 4 if size >= 1 else 8
    places = max(2, min(most, -int(number.normalize().as_tuple().exponent)))
    return grouped(number, places)


@register.simple_tag(takes_context=True)
def quantity(context: Context, value: Decimal | str | None) -> str:
    number = _number(value)
    if number is None:
        return NOTHING
    return HIDDEN if chosen_of(context).hides_amounts else plain(number)


def _number(value: object) -> Decimal | None:
    """Of a number, or of its text as JSON keeps it; a template's missing value is an empty text."""
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, str) and is_number(value) else None


@register.filter
def plain(value: Decimal | str | None) -> str:
    if value is None or isinstance(value, str):
        return NOTHING
    text = grouped(value, 8)
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.simple_tag(takes_context=True)
def when(context: Context, moment: datetime | None, how: str = "") -> SafeString:
    """In the user's zone; the tooltip gives UTC."""
    if moment is None:
        return SafeString(NOTHING)
    local = moment.astimezone(chosen_of(context).tzinfo)
    is_this_year = local.year == timezone.now().year
    korean = (get_language() or "").startswith("ko")
    day = DAYS[korean, is_this_year]
    patterns = {"short": f"{day} H:i", "day": day, "clock": "H:i"}
    text = date_format(local, patterns.get(how, f"{day}, H:i:s"))
    utc = f"{moment.astimezone(timezone.get_fixed_timezone(0)):%Y-%m-%d %H:%M:%S} UTC"
    return mark_safe(f'<time title="{utc}" datetime="{moment.isoformat()}">{text}</time>')  # noqa: S308


@register.filter
def day_text(day: date) -> str:
    """A day's heading: `Fri 20 Nov`; the year only when it is another one."""
    korean = (get_language() or "").startswith("ko")
    pattern = "n월 j일 (D)" if korean else "D j M"
    if day.year != timezone.now().year:
        pattern = f"Y년 {pattern}" if korean else f"{pattern} Y"
    return date_format(day, pattern)


@register.filter
def month_text(day: date) -> str:
    korean = (get_language() or "").startswith("ko")
    return date_format(day, "Y년 n월" if korean else "F Y")


@register.filter
def span(length: timedelta | str | None) -> str:
    """`2d 3h`, `5m 10s`: two units at most. A template's missing value is an empty text."""
    if length is None or isinstance(length, str):
        return NOTHING
    left = int(length.total_seconds())
    parts = []
    for unit, seconds in (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)):
        if left >= seconds:
            parts.append(f"{left // seconds}{unit}")
            left %= seconds
    return " ".join(parts[:2]) or "0s"


@register.filter
def held(trade: Trade) -> str:
    return span((trade.closed_at or timezone.now()) - trade.opened_at)


@register.filter
def arrow(direction: str) -> str:
    return f"▲ {gettext('Long')}" if direction == "LONG" else f"▼ {gettext('Short')}"


@register.filter
def markdown(text: str) -> SafeString:
    return render(text)


@register.simple_tag(takes_context=True)
def explain(context: Context, row: Difference) -> str:
    """Its amounts are hidden like all others."""
    text = sentence(row)
    return re.sub(r"\d[\d.,]*\.\d+", HIDDEN, text) if chosen_of(context).hides_amounts else text


@register.filter
def sync_note(row: Sync) -> str:
    if not row.note:
        return ""
    try:
        return str(gettext(row.note) % row.note_values)
    except (KeyError, ValueError, TypeError):
        return str(row.note)


@register.filter
def absolute(value: Decimal | None) -> Decimal:
    return abs(value) if value else Decimal(0)


@register.filter
def get(mapping: Any, key: Any) -> Any:
    return mapping.get(key) if isinstance(mapping, dict) else None


@register.filter
def by_hand_query(missing: Difference, fee: Difference | None) -> str:
    """The query that fills in the form of a missing trade, with its fee where it has one."""
    fields = {key: missing.detail.get(key, "") for key in ("symbol", "side", "price", "quantity")}
    if fee is not None and fee.detail.get("symbol") == missing.detail.get("symbol"):
        fields |= {"fee": format(abs(fee.difference), "f"), "fee_asset": fee.asset}
    return urlencode(fields)
