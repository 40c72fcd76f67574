"""Executes a Dockerfile's instructions, each into a layer of its own."""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from docker.proof import dockerfile
from docker.proof.bases import Bases
from docker.proof.client import Client
from docker.proof.context import Context
from docker.proof.dockerfile import Instruction, Stage
from docker.proof.image import Image
from docker.proof.layers import Shelf, make_seam, merged
from docker.proof.machine import ProofError, mount_kernel, run
from launcher.steps import step

RUN_SECONDS = 1800
SHOWN = 66


class Builder:
    def __init__(
        self, shelf: Shelf, context: Context, client: Client, bases: Bases, work: Path
    ) -> None:
        self._shelf = shelf
        self._context = context
        self._client = client
        self._bases = bases
        self._work = work
        self._images: dict[str, Image] = {}

    def build(self, stages: list[Stage]) -> Image:
        """The image of the last stage."""
        pythons = [stage.base for stage in stages if stage.base.startswith("python:")]
        if not pythons:
            raise ProofError("expected a stage FROM python:X.Y-slim, was none")
        version = pythons[-1].removeprefix("python:").removesuffix("-slim")
        image = None
        for stage in stages:
            print(f"FROM {stage.base} AS {stage.name}", flush=True)
            image = self._images.get(stage.base) or self._bases.image(stage.base, version)
            for instruction in stage.instructions:
                image = self._after(image, instruction)
            self._images[stage.name] = image
        assert image is not None
        self._shelf.forget_unused()
        return image

    def _after(self, image: Image, instruction: Instruction) -> Image:
        match instruction.name:
            case "ENV":
                variables = {**image.environment, **dockerfile.environment(instruction)}
                return replace(image, environment=variables)
            case "USER":
                return replace(image, user=dockerfile.word(instruction))
            case "EXPOSE":
                return replace(image, ports=[*image.ports, dockerfile.word(instruction)])
            case "CMD":
                return replace(image, command=dockerfile.command(instruction))
            case "HEALTHCHECK":
                return replace(image, healthcheck=dockerfile.healthcheck(instruction))
            case "WORKDIR":
                return self._workdir(image, instruction)
            case "COPY":
                return self._copy(image, instruction)
            case "RUN":
                return self._run(image, instruction)
        raise ProofError(f"line {instruction.line}: expected an instruction, was {instruction}")

    def _workdir(self, image: Image, instruction: Instruction) -> Image:
        folder = os.path.join(image.workdir, dockerfile.word(instruction))  # noqa: PTH118

        def make(root: Path) -> None:
            _within(root, folder).mkdir(parents=True, exist_ok=True)

        image = self._layered(image, instruction, "", make)
        return replace(image, workdir=folder)

    def _copy(self, image: Image, instruction: Instruction) -> Image:
        copy = dockerfile.copy(instruction)
        target = os.path.join(image.workdir, copy.destination)  # noqa: PTH118
        if copy.stage is None:
            try:
                depends = self._context.digest(copy.sources)
            except FileNotFoundError as error:
                raise ProofError(f"line {instruction.line}: {error}") from error
        elif copy.stage in self._images:
            depends = self._images[copy.stage].key
        else:
            raise ProofError(f"line {instruction.line}: expected a stage, was {copy.stage!r}")

        def make(root: Path) -> None:
            place = _within(root, target)
            is_folder = target.endswith(("/", "/.")) or len(copy.sources) > 1
            for source in copy.sources:
                if copy.stage is None:
                    _copy_files(
                        self._context.root, source, self._context.files(source), place, is_folder
                    )
                else:
                    self._copy_of_stage(self._images[copy.stage], source, place, is_folder)

        return self._layered(image, instruction, depends, make)

    def _copy_of_stage(self, image: Image, source: str, place: Path, is_folder: bool) -> None:
        other = self._work / "other"
        other.mkdir(exist_ok=True)
        # two at least, or the kernel refuses a tree without a place for changes
        with merged(other, image.layers):
            start = _within(other, source)
            if start.is_dir():
                files = [path.relative_to(other) for path in start.rglob("*") if _is_file(path)]
            elif start.exists():
                files = [start.relative_to(other)]
            else:
                raise ProofError(f"COPY --from: expected {source} in the stage, was none")
            _copy_files(other, source.lstrip("/"), files, place, is_folder)

    def _run(self, image: Image, instruction: Instruction) -> Image:
        command = dockerfile.command(instruction)
        seam = make_seam(self._work / "seam", self._client.points())
        log = self._work / f"run-line-{instruction.line}.log"

        def make(root: Path) -> None:
            mount_kernel(root)
            self._client.mount_in(root)
            variables = {**image.variables(root), **self._client.environment}
            run(image.start(root, command), variables, log=log, timeout=RUN_SECONDS)

        depends = repr((sorted(image.environment.items()), image.workdir, image.user))
        return self._layered(image, instruction, depends, make, seam)

    def _layered(
        self,
        image: Image,
        instruction: Instruction,
        depends: str,
        make: Callable[[Path], None],
        seam: Path | None = None,
    ) -> Image:
        parts = (image.key, str(instruction), depends)
        key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        text = str(instruction)
        text = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
        with step(f"{text}{' (kept)' if self._shelf.has(key) else ''}"):
            layer = self._shelf.layer(key, image.layers, make, seam)
        return replace(image, layers=[layer, *image.layers], key=key)


def _within(root: Path, path: str) -> Path:
    return root / os.path.normpath(path).lstrip("/")


def _is_file(path: Path) -> bool:
    return path.is_symlink() or path.is_file()


def _copy_files(root: Path, source: str, files: list[Path], place: Path, is_folder: bool) -> None:
    """A folder's content goes into `place`; a file goes there, or into it where it is a folder."""
    start = root / source
    is_tree = start.is_dir()
    for name in files:
        if is_tree:
            target = place / (root / name).relative_to(start)
            _make_parents(target.parent, (root / name).parent, place)
        else:
            target = place / name.name if is_folder or place.is_dir() else place
            target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target, follow_symlinks=False)
        os.chown(target, 0, 0, follow_symlinks=False)


def _make_parents(folder: Path, like: Path, place: Path) -> None:
    """A folder and those above it up to `place`, with the modes that their sources have."""
    if folder.is_dir():
        return
    if folder == place:
        folder.mkdir(parents=True)
        return
    _make_parents(folder.parent, like.parent, place)
    folder.mkdir()
    shutil.copymode(like, folder)
