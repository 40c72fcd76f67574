"""What trading says to whoever asked, put into words where it is read: in the language of the
request, English by default. What is stored is English whoever asked, since others read it later, so
whoever stores puts it into words under `translation.override("en")`.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from django.utils.functional import lazy
from django.utils.translation import gettext

# Of what somebody sent, shown back to them.
LONGEST = 40


def told(message: str, /, **values: object) -> str:
    """A lazy text, imported as `_`: the sentence with its `%(name)s`. Values may be sentences and
    errors, which are put into words with it."""
    return _told(message, values)


def retold(text: str, sentences: Sequence[str]) -> str:
    """What was kept in English, in the language of the request: one of the sentences with its
    values, or a text that has a translation; else as it is."""
    for message in sentences:
        found = _pattern(message).fullmatch(text)
        if found:
            values = found.groupdict()
            return gettext(message) % values if values else gettext(message)
    return gettext(text) if text else ""


@cache
def _pattern(message: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", message)
    literal, names = parts[::2], parts[1::2]
    told = [re.escape(literal[0])]
    for name, after in zip(names, literal[1:], strict=True):
        told += [f"(?P<{name}>.+?)", re.escape(after)]
    return re.compile("".join(told), re.DOTALL)


def was(value: object, longest: int = LONGEST) -> str:
    return repr(str(value)[:longest])


def _in_words(message: str, values: Mapping[str, object]) -> str:
    text = gettext(message)
    return text % values if values else text


_told = lazy(_in_words, str)
