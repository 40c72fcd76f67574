"""What stands for a Dockerfile's FROM: a Debian whose Python is the image's."""

import hashlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from docker.proof.client import Client
from docker.proof.image import Image
from docker.proof.layers import Shelf, make_seam
from docker.proof.machine import ProofError, mount_kernel, run
from launcher.steps import step

# The Debian whose own Python has the version of the image's.
SUITES = {"3.11": "bookworm", "3.13": "trixie"}
# What python:*-slim has beside Debian's smallest system.
PACKAGES = ("ca-certificates", "netbase", "python3", "python3-venv", "tzdata")
RELEASES = re.compile(r"(oldstable|stable|testing|unstable|sid|bullseye|bookworm|trixie|forky)$")
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
NODE_LOCK = "requirements-node.txt"
DEBOOTSTRAP_SECONDS = 1200
INSTALL_SECONDS = 600


class Bases:
    """Makes base images, and keeps their layers."""

    def __init__(
        self, shelf: Shelf, client: Client, work: Path, project: Path, mirror: str
    ) -> None:
        self._shelf = shelf
        self._client = client
        self._work = work
        self._project = project
        self._mirror = mirror

    def image(self, name: str, pythons: str) -> Image:
        """The base of this name. `pythons`: the version of the Python image beside it, since a Node
        image is made of the same Debian."""
        found = re.fullmatch(r"(python|node):([\d.]+)-slim", name)
        if not found:
            raise ProofError(f"FROM: expected python:X.Y-slim or node:X-slim, was {name!r}")
        kind, version = found.groups()
        image = self._python(version if kind == "python" else pythons)
        if kind == "node":
            image = self._node(image)
        self._check(image, "python3" if kind == "python" else "node", version)
        return image

    def _python(self, version: str) -> Image:
        if version not in SUITES:
            raise ProofError(f"FROM: expected Python {' or '.join(SUITES)}, was {version}")
        suite = SUITES[version]
        key = _key(suite, *PACKAGES)
        if not self._shelf.has(key) and not self._mirror:
            raise ProofError("expected a Debian mirror: none in apt's sources, give --mirror")
        with step(f"Debian {suite}{_kept(self._shelf, key)}"):
            debian = self._shelf.layer(key, [], lambda root: self._debootstrap(root, suite))
        # Debian's Python is not to be installed into: an environment at /usr/local has the places
        # that the image's own Python has, and stands first on PATH as it does
        key = _key(key, "environment")
        layers = [debian]
        command = ["/usr/bin/python3", "-m", "venv", "/usr/local"]
        with step(f"Python {version} at /usr/local{_kept(self._shelf, key)}"):
            layer = self._shelf.layer(key, layers, lambda root: _chroot(root, command))
        return Image([layer, *layers], key, {"PATH": PATH})

    def _node(self, image: Image) -> Image:
        """Node and npm of the lock file's wheel, which is what `make` takes without an npm."""
        lock = (self._project / NODE_LOCK).read_text()
        key = _key(image.key, lock)
        seam = make_seam(self._work / "seam", self._client.points())

        def make(root: Path) -> None:
            self._client.mount_in(root)
            (root / NODE_LOCK).write_text(lock)
            install = ["pip", "install", "--quiet", "--no-cache-dir", "--require-hashes", "-r"]
            _chroot(root, [*install, f"/{NODE_LOCK}"], self._client.environment)
            (root / NODE_LOCK).unlink()

        with step(f"Node{_kept(self._shelf, key)}"):
            layer = self._shelf.layer(key, image.layers, make, seam)
        return Image([layer, *image.layers], key, dict(image.environment))

    def _debootstrap(self, root: Path, suite: str) -> None:
        command = ["debootstrap", "--variant=minbase", "--force-check-gpg"]
        command += [f"--include={','.join(PACKAGES)}", suite, str(root), self._mirror]
        run(command, log=self._work / "debootstrap.log", timeout=DEBOOTSTRAP_SECONDS)
        # what debootstrap takes over from this machine, and what was only needed on the way
        for name in ("etc/resolv.conf", "etc/hostname"):
            (root / name).unlink(missing_ok=True)
        for name in ("var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(root / name)
            (root / name).mkdir()

    def _check(self, image: Image, program: str, version: str) -> None:
        key = _key(image.key, "version", program)

        def make(root: Path) -> None:
            said = root / "version"
            _chroot(root, ["/bin/sh", "-c", f"{program} --version > /version"])
            was = said.read_text().split()[-1].removeprefix("v")
            said.unlink()
            if not f"{was}.".startswith(f"{version}."):
                raise ProofError(f"expected {program} {version}, was {was}")

        self._shelf.layer(key, image.layers, make)


def mirror_of_this_machine(apt: Path = Path("/etc/apt")) -> str:
    """The first address in apt's sources that has a Debian release; "" where there is none."""
    for uri, suites in _sources(apt):
        if any(RELEASES.match(suite) for suite in suites):
            return uri
    return ""


def _sources(apt: Path) -> Iterator[tuple[str, list[str]]]:
    """Addresses and suites, of one-line lists and of deb822 files."""
    for path in [apt / "sources.list", *sorted(apt.glob("sources.list.d/*.list"))]:
        for line in path.read_text().splitlines() if path.exists() else []:
            found = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)", line)
            if found:
                yield found[1], [found[2]]
    for path in sorted(apt.glob("sources.list.d/*.sources")):
        for part in re.split(r"\n\s*\n", path.read_text()):
            lines = [line for line in part.splitlines() if not line.startswith("#")]
            fields = dict(line.split(":", 1) for line in lines if re.match(r"[A-Za-z-]+:", line))
            if "deb" in fields.get("Types", "").split() and fields.get("URIs", "").strip():
                yield fields["URIs"].split()[0], fields.get("Suites", "").split()


def _chroot(root: Path, command: list[str], environment: dict[str, str] | None = None) -> None:
    mount_kernel(root)
    variables = {"PATH": PATH, "HOME": "/root", **(environment or {})}
    run(["chroot", str(root), *command], variables, timeout=INSTALL_SECONDS)


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _kept(shelf: Shelf, key: str) -> str:
    return " (kept)" if shelf.has(key) else ""
