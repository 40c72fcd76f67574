"""Rules about oneself that somebody else keeps: config registers who knows of their breaks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from accounts.models import User


@dataclass(frozen=True)
class Break:
    """`rule` is its name, `trade` the one that the order became part of (None: of none yet)."""

    rule: str
    trade: int | None
    at: datetime


Source = Callable[[User], list[Break]]
Words = Callable[[str], str]
_sources: list[tuple[Source, Words]] = []


def register(source: Source, words: Words) -> None:
    """`words` says a rule's name in the reader's language; a name that it does not know as it
    is."""
    _sources.append((source, words))


def breaks_of(user: User) -> list[Break]:
    return [found for source, _words in _sources for found in source(user)]


def name_of(rule: str) -> str:
    for _source, words in _sources:
        rule = words(rule)
    return rule
