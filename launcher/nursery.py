"""The launcher's end of `launcher/forking.py`: where its processes come from."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from launcher.children import adopts_orphans, can_adopt, own_session
from launcher.forking import LOAD, MOST_BYTES, NAME_BYTES, Birth

ROOT = Path(__file__).resolve().parent.parent
# Output comes line by line; not every thread keeps a store of freed memory of its own; no library
# of mathematics starts threads, which would not come along; and what `migrate` has checked is not
# gone through once more by each worker, which writes on all of it.
ENVIRONMENT = {
    "PYTHONUNBUFFERED": "1",
    "MALLOC_ARENA_MAX": "2",
    "OPENBLAS_NUM_THREADS": "1",
    "CELERY_SKIP_CHECKS": "true",
}
ANSWER_SECONDS = 120.0
LOOK_SECONDS, END_SECONDS = 0.02, 10.0
# One that has made nothing for so long is not kept for what may once end and begin again.
KEPT_SECONDS = 30.0
LONGEST_LINE = 1 << 20


class NurseryError(Exception):
    """Nothing comes of it; the text is one sentence, the last that was said."""


class Nursery:
    """Of one thread, since the kernel ties a child's life to the thread that made it. Where the
    kernel cannot make what comes from it the launcher's child, commands are executed instead."""

    def __init__(self, *, forks: bool | None = None) -> None:
        self._forks = can_adopt() if forks is None else forks
        # kept, so that nobody else asks for their ends
        self._executed: list[subprocess.Popen[bytes]] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._errors: IO[bytes] | None = None
        self._used_at = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Begin to load Django. What is wrong with the settings is told by the first process."""
        if not self._forks:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(ANSWER_SECONDS)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  (as long as the nursery)
        words = ["-m", "launcher.forking", str(theirs.fileno()), "." * NAME_BYTES]
        self._process = subprocess.Popen(
            [sys.executable, *words],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stderr=self._errors,
            pass_fds=[theirs.fileno()],
            preexec_fn=own_session(signal.SIGKILL),
        )
        theirs.close()
        self._socket = ours
        self._used_at = time.monotonic()

    def stop(self) -> None:
        """What came from it lives on."""
        for made in self._executed:
            made.returncode = 0  # its end was asked for, or will be, by its number
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        for opened in (self._socket, self._errors):
            if opened is not None:
                opened.close()
        self._process = self._socket = self._errors = None

    def rest(self) -> None:
        """End it where nobody has needed it lately; the next that is made starts another one."""
        if time.monotonic() - self._used_at > KEPT_SECONDS:
            self.stop()

    def load(self) -> None:
        """Load all the rest, beside what the launcher does meanwhile."""
        if self._forks:
            self._ask(LOAD, [])

    def begin(self, command: Sequence[str]) -> "Running":
        """A command beside what the launcher does meanwhile."""
        with contextlib.ExitStack() as opened:
            output, errors = (opened.enter_context(tempfile.TemporaryFile()) for _ in range(2))
            pid = self._fork(command, [output.fileno(), errors.fileno()], [1, 2])
            opened.pop_all()
        return Running(pid, output, errors)

    async def make(self, command: Sequence[str], descriptors: Sequence[int], nice: int) -> "Forked":
        """A process with `descriptors` under the same numbers, whose output can be read. Raises
        NurseryError. Where the nursery has ended another one takes its place."""
        reading, writing = os.pipe()
        given, numbers = [writing, writing, *descriptors], [1, 2, *descriptors]
        try:
            if self._process is None:
                self._start_whole()
            try:
                pid = self._fork(command, given, numbers, nice)
            except NurseryError:
                self.stop()
                self._start_whole()
                pid = self._fork(command, given, numbers, nice)
            forked = Forked(pid)
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        await forked.read(reading)
        return forked

    def _start_whole(self) -> None:
        self.start()
        self.load()

    def _fork(
        self, command: Sequence[str], descriptors: list[int], numbers: list[int], nice: int = 0
    ) -> int:
        """The number of a new process, a child of this one."""
        if not self._forks:
            return self._execute(command, descriptors, nice)
        self._used_at = time.monotonic()
        birth = Birth(list(command), numbers, os.getpid(), nice)
        with adopts_orphans():
            self._ask(json.dumps(asdict(birth)).encode(), descriptors)
            return self._answer()

    def _execute(self, command: Sequence[str], descriptors: list[int], nice: int) -> int:
        output, errors, *given = descriptors
        made = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "config.settings"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            pass_fds=given,
            preexec_fn=own_session(signal.SIGTERM, nice),
        )
        self._executed.append(made)
        return made.pid

    def _ask(self, words: bytes, descriptors: list[int]) -> None:
        assert self._socket is not None
        try:
            socket.send_fds(self._socket, [words], descriptors)
        except OSError as error:
            raise NurseryError(self._reason()) from error

    def _answer(self) -> int:
        assert self._socket is not None
        try:
            told = self._socket.recv(MOST_BYTES)
        except TimeoutError as error:
            raise NurseryError(f"no new process within {ANSWER_SECONDS:.0f} s") from error
        except OSError as error:
            raise NurseryError(self._reason()) from error
        if not told:
            raise NurseryError(self._reason())
        return int(told)

    def _reason(self) -> str:
        assert self._process is not None and self._errors is not None
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return "the nursery does not answer"
        return _last_line(self._errors) or f"the nursery ended with code {code}"


class Forked:
    """A child from the nursery, with what `asyncio.subprocess.Process` has under the same names. A
    thread waits for its end, as asyncio does, since not every kernel has a descriptor for it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdout = asyncio.StreamReader(limit=LONGEST_LINE)
        self._ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._wait, args=(loop,), daemon=True).start()

    async def read(self, descriptor: int) -> None:
        """From here on `stdout` tells what comes there."""
        reads = asyncio.StreamReaderProtocol(self.stdout)
        pipe = os.fdopen(descriptor, "rb")
        await asyncio.get_running_loop().connect_read_pipe(lambda: reads, pipe)

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(self._ended.set)


@dataclass
class Running:
    """A command that ends by itself."""

    pid: int
    output: IO[bytes]
    errors: IO[bytes]

    def result(self, seconds: float) -> str:
        """What it printed. Raises NurseryError where it failed, or took longer and was ended."""
        code = self._wait(seconds)
        with self.output, self.errors:
            self.output.seek(0)
            if code == 0:
                return self.output.read().decode()
            raise NurseryError(_last_line(self.errors) or f"it ended with code {code}")

    def _wait(self, seconds: float) -> int:
        end = time.monotonic() + seconds
        while (ended := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                ended = os.waitpid(self.pid, 0)
                break
            time.sleep(LOOK_SECONDS)
        return os.waitstatus_to_exitcode(ended[1])


def _last_line(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = [line for line in errors.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else ""
