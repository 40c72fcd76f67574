"""Questions and groups of the insight in words."""

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
    "setup": gettext_lazy("Setup"),
    "stop_moved": gettext_lazy("Stop moved away"),
    # chosen by the outcome: costs, never claims
    "mistake": gettext_lazy("Mistake"),
    "emotion": gettext_lazy("Emotion"),
    "stop": gettext_lazy("What became of the stop"),
    "hold": gettext_lazy("Holding time"),
    "maker": gettext_lazy("Maker share"),
}
GROUPS = {
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
    ("stop_moved", ""): gettext_noop("the first stop was reached after it had been moved"),
}


def question_of(name: str) -> str:
    return str(QUESTIONS[name])


def group_of(question: str, name: str) -> str:
    """A name of the trader's own (a symbol, a setup) stands as it is."""
    if question == "flow" and name in Trade.Against.values:
        return str(Trade.Against(name).label)
    known = GROUPS.get((question, name))
    return _(known) if known else name
