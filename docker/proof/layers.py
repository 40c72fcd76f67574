"""Layers of files: each instruction's in a folder of its own, laid over one another by the kernel.

A layer is kept under a key of all that it depends on, so a second run makes only what has changed.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from docker.proof.machine import ProofError, mount, unmount

KEY_LENGTH = 16  # the kernel takes a page of names


class Shelf:
    """The layers of one work folder."""

    def __init__(self, work: Path) -> None:
        self._layers = work / "layers"
        self._changes = work / "changes"
        self._root = work / "root"
        self._used: set[Path] = set()
        for folder in (self._layers, self._root):
            folder.mkdir(exist_ok=True)
        for part in self._layers.glob("*.part"):
            shutil.rmtree(part)  # of a run that was stopped

    def layer(
        self,
        key: str,
        below: Sequence[Path],
        make: Callable[[Path], None],
        seam: Path | None = None,
    ) -> Path:
        """The layer of this key; `make` is given a root to change where there is none yet. `below`:
        the layers under it, the top one first. `seam` has mount points that no layer keeps."""
        layer = self._layers / key[:KEY_LENGTH]
        self._used.add(layer)
        if layer.exists():
            return layer
        part = layer.with_suffix(".part")
        _make_empty(part)
        if below:
            _make_empty(self._changes)
            with merged(self._root, [*below, *([seam] if seam else [])], part, self._changes):
                make(self._root)
        else:
            make(part)
        part.rename(layer)
        return layer

    def has(self, key: str) -> bool:
        return (self._layers / key[:KEY_LENGTH]).exists()

    def forget_unused(self) -> None:
        """Remove what this run had no use for."""
        for layer in set(self._layers.iterdir()) - self._used:
            shutil.rmtree(layer)


@contextmanager
def merged(
    root: Path, below: Sequence[Path], changes: Path | None = None, spare: Path | None = None
) -> Iterator[None]:
    """Layers as one tree at `root`; nobody can write in it where `changes` is not given."""
    options = "lowerdir=" + ":".join(str(layer) for layer in below)
    options += f",upperdir={changes},workdir={spare}" if changes and spare else ",ro"
    try:
        mount("-t", "overlay", "-o", options, "overlay", str(root))
    except ProofError as error:
        raise ProofError(
            f"expected a folder whose file system can be laid over others (--work), was {root}: "
            f"{error}"
        ) from error
    try:
        yield
    except BaseException:
        unmount(root, is_lazy=True)  # something may run in it yet
        raise
    unmount(root)


def make_seam(folder: Path, points: dict[str, bool]) -> Path:
    """A layer of empty folders and files to mount something on: path within, and whether it is a
    folder."""
    _make_empty(folder)
    for point, is_folder in points.items():
        path = folder / point.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_folder:
            path.mkdir(exist_ok=True)
        else:
            path.touch()
    return folder


def _make_empty(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(mode=0o755)
