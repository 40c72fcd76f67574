"""Questions and groups of the insight in words."""

import re

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from journal.models import Trade

QUESTIONS = {
    "account": gettext_lazy("Account"),
    "market": gettext_lazy("Market"),
    "symbol": gettext_lazy("Symbol"),
    "direction": gettext_lazy("Direction"),
    "hours": gettext_lazy("Hour of opening"),
    "night": gettext_lazy("Day or night"),
    "weekday": gettext_lazy("Weekday"),
    "session": gettext_lazy("Session"),
    "size": gettext_lazy("Size"),
    "streak": gettext_lazy("Losses in a row before"),
    "of_day": gettext_lazy("Trade of the day"),
    "size_after_loss": gettext_lazy("Size after a loss"),
    "flow": gettext_lazy("Flow at entry"),
    "large": gettext_lazy("Large orders before the entry"),
    "swing": gettext_lazy("Market before the entry"),
    "order": gettext_lazy("Order of the entry"),
    "setup": gettext_lazy("Setup"),
    "stop_moved": gettext_lazy("Stop moved away"),
    "winner_cut": gettext_lazy("Winner cut"),
    # chosen by the outcome: costs, never claims
    "mistake": gettext_lazy("Mistake"),
    "emotion": gettext_lazy("Emotion"),
    "stop": gettext_lazy("What became of the stop"),
    "hold": gettext_lazy("Holding time"),
    "maker": gettext_lazy("Maker share"),
}
GROUPS = {
    ("market", "spot"): gettext_noop("Spot"),
    ("market", "usdm"): gettext_noop("USD-M"),
    ("direction", "LONG"): gettext_noop("Long"),
    ("direction", "SHORT"): gettext_noop("Short"),
    ("night", "night"): gettext_noop("22:00 to 06:00"),
    ("night", "day"): gettext_noop("06:00 to 22:00"),
    ("weekday", "1"): gettext_noop("Monday"),
    ("weekday", "2"): gettext_noop("Tuesday"),
    ("weekday", "3"): gettext_noop("Wednesday"),
    ("weekday", "4"): gettext_noop("Thursday"),
    ("weekday", "5"): gettext_noop("Friday"),
    ("weekday", "6"): gettext_noop("Saturday"),
    ("weekday", "7"): gettext_noop("Sunday"),
    ("session", "asia"): gettext_noop("Asia"),
    ("session", "europe"): gettext_noop("Europe"),
    ("session", "america"): gettext_noop("America"),
    ("session", "late"): gettext_noop("Late"),
    ("size", "small"): gettext_noop("the smallest third"),
    ("size", "middle"): gettext_noop("the middle third"),
    ("size", "large"): gettext_noop("the largest third"),
    ("size_after_loss", "larger"): gettext_noop("larger than usual after a loss"),
    ("size_after_loss", "otherwise"): gettext_noop("all others"),
    ("large", "with"): gettext_noop("on your side"),
    ("large", "level"): gettext_noop("level, or none"),
    ("large", "against"): gettext_noop("against you"),
    ("swing", "calm"): gettext_noop("calm, for this market"),
    ("swing", "middle"): gettext_noop("as usual, for this market"),
    ("swing", "wild"): gettext_noop("wild, for this market"),
    ("order", "market"): gettext_noop("market order"),
    ("order", "limit"): gettext_noop("limit order"),
    ("order", "conditional"): gettext_noop("stop or take-profit order"),
    ("winner_cut", ""): gettext_noop("closed in profit before target and first stop"),
    ("stop_moved", ""): gettext_noop("the first stop was reached after it had been moved"),
}
# `2. < 5 m`, `1 Monday`: see journal.selectors.dimensions
NUMBERED = {"weekday", "hold", "size", "fills", "maker", "efficiency"}
IN_FRONT = re.compile(r"^\d+\.? ")


def question_of(name: str) -> str:
    return str(QUESTIONS[name])


def group_of(question: str, name: str) -> str:
    """A name of the trader's own (a symbol, a setup) stands as it is; others go without the number
    that keeps them in order."""
    if question == "flow" and name in Trade.Against.values:
        return str(Trade.Against(name).label)
    if question == "stop" and (name in Trade.StopMoves.values or name == "none"):
        return str(Trade.StopMoves("" if name == "none" else name).label)
    known = GROUPS.get((question, name))
    return _(known) if known else IN_FRONT.sub("", name) if question in NUMBERED else name


def market_name(market: str) -> str:
    return group_of("market", market)


# rules of the twin
RULES = {
    "target_1r": gettext_noop("First stop, target at 1 R"),
    "target_2r": gettext_noop("First stop, target at 2 R"),
    "target_3r": gettext_noop("First stop, target at 3 R"),
    "trail_1r": gettext_noop("Stop trailing by 1 R"),
    "trail_2r": gettext_noop("Stop trailing by 2 R"),
    "time_5m": gettext_noop("Out after 5 minutes"),
    "time_15m": gettext_noop("Out after 15 minutes"),
    "time_1h": gettext_noop("Out after an hour"),
    "time_4h": gettext_noop("Out after 4 hours"),
    "flow_turns": gettext_noop("Out when large orders turn"),
    "with_flow": gettext_noop("No trade against the flow"),
    "half_after_two": gettext_noop("Half size after two losses"),
}
# why something could not be told
REASONS = {
    "no_market": gettext_noop("nothing is known of its market"),
    "no_money": gettext_noop("no rate to the report currency"),
    "statement": gettext_noop("of a statement, without its own time"),
    "not_known": gettext_noop("its seconds are not known"),
    "minutes_only": gettext_noop("only minutes are known"),
    "no_path": gettext_noop("the way of the price is not known"),
    "no_stop": gettext_noop("no first stop"),
    "no_bands": gettext_noop("sizes of orders are not known"),
    "no_fills": gettext_noop("its fills are not all known"),
    "by_hand": gettext_noop("grouped by hand"),
    "other_pairs": gettext_noop("traded on several pairs"),
    "added_later": gettext_noop("added to after the first exit"),
    "flow_unknown": gettext_noop("its flow is not known"),
    "funding": gettext_noop("funding behind the exit is not known"),
    "no_fees": gettext_noop("no fees of your own to go by"),
    "no_best_prices": gettext_noop("best prices are not known then"),
}
# numbers of parts, beside the questions: what their trades have in common
NUMBERS = {
    "all": gettext_noop("All trades"),
    "change": gettext_noop("Before or after the change"),
    "explored": gettext_noop("Stops, targets, entries, exits"),
    "twin": gettext_noop("Compared under the other rule"),
    "twin changed": gettext_noop("Changed by the other rule"),
    "twin untold": gettext_noop("Could not be told"),
    "stops": gettext_noop("Closed at the first stop"),
    "stops back": gettext_noop("Came back to the entry, minutes"),
    "stops known": gettext_noop("Path behind the stop known, minutes"),
    "stop distance": gettext_noop("Compared with a stop at, in R"),
    "rule kept": gettext_noop("Kept the rule"),
    "rule broken": gettext_noop("Broke the rule"),
    "execution market": gettext_noop("Market entries"),
    "execution limit": gettext_noop("Limit entries"),
    "markout": gettext_noop("Price after the fill"),
}


def rule_of(name: str) -> str:
    return _(RULES[name])


def reason_of(name: str) -> str:
    return _(REASONS[name]) if name in REASONS else name


def band_name(name: str) -> str:
    """`1k–10k`, `≥1M`: as one reads it, not as the API spells it."""
    return name.replace(">=", "≥").replace("-", "–")


def size_words(name: str) -> str:
    """A band's name; of all sizes together."""
    return band_name(name) or _("all sizes")


def number_of(by: str, group: str) -> str:
    """What a list of trades is of."""
    if by in QUESTIONS:
        named = group_of(by, group)
        return f"{question_of(by)}: {named}" if named else question_of(by)
    head = next(
        (name for name in sorted(NUMBERS, key=len, reverse=True) if by.startswith(name)), ""
    )
    group = rule_of(group) if group in RULES else group
    return ": ".join(filter(None, [_(NUMBERS[head]) if head else by, group]))
