"""What a look at one thing came to."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """`remedy`: what to do about it; empty where nothing is wrong."""

    level: Level
    topic: str
    text: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def fine(topic: str, text: str) -> Finding:
    return Finding(Level.OK, topic, text)


def warning(topic: str, text: str, remedy: str) -> Finding:
    return Finding(Level.WARNING, topic, text, remedy)


def error(topic: str, text: str, remedy: str) -> Finding:
    return Finding(Level.ERROR, topic, text, remedy)
