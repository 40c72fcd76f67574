"""The build's context: the files of a folder that its .dockerignore lets through."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path


class Context:
    """A folder, as the builder sees it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        ignored = root / ".dockerignore"
        self._rules = rules(ignored.read_text() if ignored.exists() else "")
        self._may_prune = all(is_ignored for _, is_ignored in self._rules)

    def files(self, source: str) -> list[Path]:
        """What a source names, relative to the context: a file, or all below a folder."""
        start = self.root / source
        if not start.resolve().is_relative_to(self.root.resolve()):
            raise FileNotFoundError(f"expected a path within the context, was {source!r}")
        if start.is_dir():
            return sorted(self._below(start))
        name = start.relative_to(self.root)
        if not start.exists() or is_ignored(name, self._rules):
            raise FileNotFoundError(f"expected {source} in the context: it is not there or ignored")
        return [name]

    def digest(self, sources: list[str]) -> str:
        """Of names, modes and contents: what a COPY of them depends on."""
        total = hashlib.sha256()
        for name in [name for source in sources for name in self.files(source)]:
            path = self.root / name
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            mode = path.lstat().st_mode
            total.update(f"{name}\0{mode:o}\0{hashlib.sha256(content).hexdigest()}\n".encode())
        return total.hexdigest()

    def _below(self, folder: Path) -> Iterator[Path]:
        for path in folder.iterdir():
            name = path.relative_to(self.root)
            out = is_ignored(name, self._rules)
            if path.is_dir() and not path.is_symlink():
                # something below may be let in again
                if not out or not self._may_prune:
                    yield from self._below(path)
            elif not out:
                yield name


def rules(text: str) -> list[tuple[re.Pattern[str], bool]]:
    """Patterns in their order, each with whether it takes out (or, after `!`, lets in)."""
    found = []
    for raw in text.splitlines():
        line = raw.strip()
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!").strip().strip("/")
            found.append((re.compile(_expression(pattern)), not line.startswith("!")))
    return found


def is_ignored(name: Path, patterns: list[tuple[re.Pattern[str], bool]]) -> bool:
    """The last pattern that fits the path, or a folder above it, decides."""
    names = [str(name), *(str(parent) for parent in name.parents if parent != Path())]
    result = False
    for pattern, is_out in patterns:
        if any(pattern.fullmatch(each) for each in names):
            result = is_out
    return result


def _expression(pattern: str) -> str:
    """Of Go's `filepath.Match`, with `**` for any number of folders."""
    signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    words = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return "".join(signs.get(word, re.escape(word)) for word in words)
