"""The image as a container has it: a root that nobody can write in, and places beside it."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from docker.proof.compose import Service
from docker.proof.image import Image, account_of
from docker.proof.layers import make_seam, merged
from docker.proof.machine import ProofError, mount, mount_kernel, tail

SERVERS = "/run/servers"
SECRETS = "/run/secrets"
HOSTS = "127.0.0.1\tlocalhost\n::1\tlocalhost\n"
STOP_SECONDS = 10  # docker's patience


class Container:
    """Starts processes in the image, as its user and without any capability."""

    def __init__(self, image: Image, root: Path, logs: Path) -> None:
        self.image = image
        self.root = root
        self.account = account_of(root, image.user)
        self._logs = logs
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, command: Sequence[str], environment: dict[str, str]) -> "Process":
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.image.start(self.root, list(command), is_confined=True),
                env={**self.image.variables(self.root), **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        return Process(name, process, log)

    def run(
        self, name: str, command: Sequence[str], environment: dict[str, str], timeout: float
    ) -> str:
        """What a command says that comes to a good end."""
        process = self.start(name, command, environment)
        code = process.wait(timeout)
        if code != 0:
            raise ProofError(f"{name}: expected exit status 0, was {code}{process.words()}")
        return process.log.read_text()

    def succeeds(
        self, name: str, command: Sequence[str], environment: dict[str, str], timeout: float
    ) -> bool:
        """Whether a probe comes to a good end in its time."""
        return self.start(name, command, environment).wait_or_kill(timeout) == 0

    def kill(self) -> None:
        """End what still runs, with what it started."""
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Process:
    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.pid = process.pid
        self.log = log
        self._process = process

    def wait(self, timeout: float) -> int:
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise ProofError(
                f"{self.name}: expected an end within {timeout:.0f} s, was none{self.words()}"
            ) from error

    def wait_or_kill(self, timeout: float) -> int | None:
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return None

    def wait_until(self, is_so: Callable[[], bool], what: str, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not is_so():
            if self._process.poll() is not None:
                code = self._process.returncode
                raise ProofError(f"{self.name}: expected {what}, was exit {code}{self.words()}")
            if time.monotonic() > deadline:
                raise ProofError(
                    f"{self.name}: expected {what} within {timeout:.0f} s, was not{self.words()}"
                )
            time.sleep(0.2)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """As an engine stops a container: a signal, and an end soon."""
        self._process.send_signal(how)
        self.wait(STOP_SECONDS)

    def status(self, field: str) -> str:
        """Of /proc: `Uid`, `CapEff`, …"""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return line.split(":", 1)[1].strip()
        raise ProofError(f"/proc/{self.pid}/status: expected {field}, was none")

    def words(self) -> str:
        return tail(self.log.read_bytes())


@contextmanager
def container(image: Image, service: Service, work: Path) -> Iterator[Container]:
    """One root for the whole proof, with the volumes, temporary folders and secrets of a service,
    and one place more for the proof's servers."""
    root, own = work / "root", work / "container"
    shutil.rmtree(own, ignore_errors=True)
    (own / "logs").mkdir(parents=True)
    folders = [*service.volumes, *service.tmpfs, SECRETS, SERVERS]
    points = dict.fromkeys(folders, True) | {"/etc/hosts": False, "/etc/resolv.conf": False}
    seam = make_seam(work / "seam", points)
    with merged(root, [*image.layers, seam]):
        mount_kernel(root)
        for folder in service.tmpfs:
            options = "mode=1777,nosuid,nodev,noexec"
            mount("-t", "tmpfs", "-o", options, "tmpfs", str(_within(root, folder)))
        (own / "hosts").write_text(HOSTS)
        (own / "resolv.conf").touch()
        for name in ("hosts", "resolv.conf"):
            mount("--bind", "-o", "ro", str(own / name), str(root / "etc" / name))
        for volume in service.volumes:
            _mount_volume(own, root, volume)
        account = account_of(root, image.user)
        for place, mode in ((SECRETS, 0o755), (SERVERS, 0o700)):
            folder_ = own / Path(place).name
            folder_.mkdir(mode=mode)
            os.chown(folder_, account.uid, account.gid)
            mount("--bind", str(folder_), str(_within(root, place)))
        inside = Container(image, root, own / "logs")
        try:
            yield inside
        finally:
            inside.kill()


def write_secrets(container: Container, names: Sequence[str], known: dict[str, str]) -> None:
    """Files that everybody in the container reads, as compose makes them of docker/secrets/."""
    folder = _within(container.root, SECRETS)
    for name in names:
        (folder / name).write_text(known.get(name) or secrets.token_hex(32))
    os.chown(folder, 0, 0)
    mount("-o", "remount,bind,ro", str(folder))


def _mount_volume(own: Path, root: Path, volume: str) -> None:
    """A new named volume begins with the owner and mode of what the image has in its place."""
    folder, there = own / "volumes" / volume.lstrip("/"), _within(root, volume)
    folder.mkdir(parents=True)
    shutil.copymode(there, folder)
    os.chown(folder, there.stat().st_uid, there.stat().st_gid)
    mount("--bind", str(folder), str(there))


def _within(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
