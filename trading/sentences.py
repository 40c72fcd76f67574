"""What trading says to whoever asked, put into words where it is read: in the language of the
request, English by default. What is stored is English whoever asked, since others read it later, so
whoever stores puts it into words under `translation.override("en")`.
"""

from collections.abc import Mapping

from django.utils.functional import lazy
from django.utils.translation import gettext

# Of what somebody sent, shown back to them.
LONGEST = 40


def told(message: str, /, **values: object) -> str:
    """A lazy text, imported as `_`: the sentence with its `%(name)s`. Values may be sentences and
    errors, which are put into words with it."""
    return _told(message, values)


def was(value: object, longest: int = LONGEST) -> str:
    return repr(str(value)[:longest])


def _in_words(message: str, values: Mapping[str, object]) -> str:
    text = gettext(message)
    return text % values if values else text


_told = lazy(_in_words, str)
