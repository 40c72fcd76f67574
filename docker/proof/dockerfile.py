"""Reads a Dockerfile: its stages, and what each of their instructions says."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = ("FROM", "WORKDIR", "ENV", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "CMD")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class DockerfileError(Exception):
    """An instruction that cannot be followed; the message says where, and what was expected."""


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continuation lines joined."""

    line: int
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.name} {self.text}"


@dataclass(frozen=True)
class Stage:
    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)


@dataclass(frozen=True)
class Copy:
    sources: list[str]
    destination: str
    stage: str | None


@dataclass(frozen=True)
class Healthcheck:
    command: list[str]
    interval: float = 30.0
    timeout: float = 30.0
    start_period: float = 0.0
    retries: int = 3


def read(path: Path) -> list[Stage]:
    """The stages of a file, in its order; the last one is the image."""
    return parse(path.read_text())


def parse(text: str) -> list[Stage]:
    stages: list[Stage] = []
    for instruction in _instructions(text):
        if instruction.name == "FROM":
            stages.append(_stage(instruction, len(stages)))
        elif stages:
            stages[-1].instructions.append(instruction)
        else:
            raise _error(instruction, "FROM first", instruction.name)
    if not stages:
        raise DockerfileError("expected a FROM, was nothing")
    return stages


def environment(instruction: Instruction) -> dict[str, str]:
    pairs = {}
    for word in shlex.split(_plain(instruction)):
        name, is_pair, value = word.partition("=")
        if not is_pair:
            raise _error(instruction, "NAME=value", word)
        pairs[name] = value
    return pairs


def copy(instruction: Instruction) -> Copy:
    words, stage = shlex.split(_plain(instruction)), None
    while words and words[0].startswith("--"):
        option, _, value = words.pop(0).partition("=")
        if option != "--from":
            raise _error(instruction, "no option but --from", option)
        stage = value
    if len(words) < 2:
        raise _error(instruction, "sources and a destination", instruction.text)
    return Copy(words[:-1], words[-1], stage)


def command(instruction: Instruction) -> list[str]:
    """The words of an array, or the shell with a line."""
    return _command(instruction, instruction.text)


def word(instruction: Instruction) -> str:
    """What WORKDIR, USER and EXPOSE have: one word."""
    words = _plain(instruction).split()
    if len(words) != 1:
        raise _error(instruction, "one word", instruction.text)
    return words[0]


def healthcheck(instruction: Instruction) -> Healthcheck:
    options: dict[str, str] = {}
    text = instruction.text
    while found := re.match(r"--([a-z-]+)=(\S+)\s+", text):
        options[found[1]] = found[2]
        text = text[found.end() :]
    kind, _, rest = text.partition(" ")
    if kind != "CMD" or not rest:
        raise _error(instruction, "CMD and a command", text)
    unknown = options.keys() - {"interval", "timeout", "start-period", "retries"}
    if unknown:
        raise _error(instruction, "--interval, --timeout, --start-period, --retries", min(unknown))
    return Healthcheck(
        _command(instruction, rest.strip()),
        _seconds(instruction, options.get("interval", "30s")),
        _seconds(instruction, options.get("timeout", "30s")),
        _seconds(instruction, options.get("start-period", "0s")),
        int(options.get("retries", "3")),
    )


def _instructions(text: str) -> list[Instruction]:
    found: list[Instruction] = []
    parts: list[str] = []
    first = 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        # comments may stand between the lines of one instruction
        if not line or line.startswith("#"):
            continue
        first = first if parts else number
        parts.append(line.removesuffix("\\").strip())
        if not line.endswith("\\"):
            found.append(_instruction(first, " ".join(parts)))
            parts = []
    if parts:
        raise DockerfileError(f"line {first}: expected another line after \\, was the end")
    return found


def _instruction(line: int, text: str) -> Instruction:
    name, _, rest = text.partition(" ")
    instruction = Instruction(line, name.upper(), rest.strip())
    if instruction.name not in KNOWN:
        raise _error(instruction, f"one of {', '.join(KNOWN)}", name)
    if not instruction.text:
        raise _error(instruction, f"something after {instruction.name}", "nothing")
    if instruction.name in {"RUN", "COPY"} and re.search(r"(^|\s)<<-?\w", instruction.text):
        raise _error(instruction, "a command on its line", "a here-document")
    if instruction.name == "RUN" and instruction.text.startswith("--"):
        raise _error(instruction, "RUN without options", instruction.text.split()[0])
    return instruction


def _stage(instruction: Instruction, index: int) -> Stage:
    words = _plain(instruction).split()
    if len(words) == 1:
        return Stage(str(index), words[0])
    if len(words) == 3 and words[1].upper() == "AS":
        return Stage(words[2], words[0])
    raise _error(instruction, "IMAGE or IMAGE AS NAME", instruction.text)


def _command(instruction: Instruction, text: str) -> list[str]:
    if not text.startswith("["):
        return ["/bin/sh", "-c", text]
    try:
        words = json.loads(text)
    except json.JSONDecodeError as error:
        raise _error(instruction, "an array of strings", text) from error
    if not words or not all(isinstance(word, str) for word in words):
        raise _error(instruction, "an array of strings", text)
    return list(words)


def _plain(instruction: Instruction) -> str:
    """The text, which holds no variable: nothing here needs one."""
    if "$" in instruction.text:
        raise _error(instruction, "no variables", instruction.text)
    return instruction.text


def _seconds(instruction: Instruction, text: str) -> float:
    found = re.fullmatch(r"(\d+)(ms|s|m|h)", text)
    if not found:
        raise _error(instruction, "a time such as 30s", text)
    return int(found[1]) * SECONDS[found[2]]


def _error(instruction: Instruction, expected: str, was: str) -> DockerfileError:
    return DockerfileError(f"line {instruction.line}: expected {expected}, was {was!r}")
