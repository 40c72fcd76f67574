"""`python3 -m docker.proof`, as root: builds docker/Dockerfile without a container engine, runs the
image as docker/compose.yaml does, and ends with 0 where all of it was as it should be."""

import argparse
import fcntl
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from docker.proof import checks, client, dockerfile
from docker.proof.bases import Bases, mirror_of_this_machine
from docker.proof.builder import Builder
from docker.proof.context import Context
from docker.proof.dockerfile import DockerfileError
from docker.proof.layers import Shelf
from docker.proof.machine import ProofError, in_own_namespaces

PROJECT = Path(__file__).resolve().parents[2]
DOCKER = PROJECT / "docker"
TOOLS = ("debootstrap", "chroot", "ip", "mount", "umount")


def main() -> int:
    parser = argparse.ArgumentParser(prog="docker.proof", description=__doc__)
    work = Path(tempfile.gettempdir()) / "tapelog-image"
    parser.add_argument("--work", type=Path, default=work, help="what is kept between runs")
    parser.add_argument("--mirror", default="", help="of Debian; default: as apt's sources say")
    arguments = parser.parse_args()
    if os.getuid() != 0:
        return _refuse("expected root: a root of its own is made and mounted")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        return _refuse(f"expected {', '.join(missing)} on this machine (Debian has packages)")
    try:
        return in_own_namespaces(lambda: _prove(arguments.work.resolve(), arguments.mirror))
    except ProofError as error:
        return _refuse(str(error))


def _prove(work: Path, mirror: str) -> int:
    started = time.monotonic()
    os.umask(0o022)
    _claim(work)
    try:
        stages = dockerfile.read(DOCKER / "Dockerfile")
        shelf, registries = Shelf(work), client.of_this_machine()
        bases = Bases(shelf, registries, work, PROJECT, mirror or mirror_of_this_machine())
        image = Builder(shelf, Context(PROJECT), registries, bases, work).build(stages)
    except DockerfileError as error:
        raise ProofError(f"docker/Dockerfile: {error}") from error
    checks.prove(image, DOCKER / "compose.yaml", work)
    print(f"The image is proven, in {time.monotonic() - started:.0f} s.")
    return 0


def _claim(work: Path) -> None:
    """The work folder is root's, one proof's at a time, and has a name that a mount can be told."""
    work.mkdir(mode=0o700, parents=True, exist_ok=True)
    if work.stat().st_uid != 0:
        raise ProofError(f"expected {work} to be root's: remove it, or give another with --work")
    if {":", ",", "\\"} & set(str(work)):
        raise ProofError(f"expected --work without colons and commas, was {work}")
    lock = os.open(work / "lock", os.O_CREAT | os.O_RDWR, 0o600)  # as long as this process lives
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ProofError(f"expected no other proof in {work}, was one") from error


def _refuse(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
