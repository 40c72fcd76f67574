"""Text and numbers that no store holds: NUL, lone surrogates, lists nested without end."""

from collections.abc import Mapping
from typing import Any

DEEPEST = 32
# PostgreSQL's numeric holds more, none of our columns does.
MOST_DIGITS = 60


def problem_of(value: Any, depth: int = 0) -> str | None:
    """What is odd about a value as JSON or a form brings it; None where it can be kept."""
    if isinstance(value, str):
        return problem_of_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        is_wide = value.bit_length() > MOST_DIGITS * 3.33
        return f"expected numbers of at most {MOST_DIGITS} digits" if is_wide else None
    if isinstance(value, Mapping | list | tuple):
        return _problem_inside(value, depth)
    return None


def problem_of_text(text: str) -> str | None:
    if "\x00" in text:
        return "expected text without the character NUL"
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "expected whole characters, was half of a surrogate pair"
    return None


def _problem_inside(
    value: Mapping[Any, Any] | list[Any] | tuple[Any, ...], depth: int
) -> str | None:
    if depth >= DEEPEST:
        return f"expected at most {DEEPEST} levels of nesting"
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if problem := problem_of(name, depth + 1) or problem_of(inner, depth + 1):
                return problem
        return None
    return next((p for p in (problem_of(inner, depth + 1) for inner in value) if p), None)
