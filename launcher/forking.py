"""Processes by fork from one that has loaded what all of them load: each begins in a moment, and
what nobody writes to stands in memory once.

`python -m launcher.forking` is that one; `launcher/nursery.py` starts it and asks it. It has no
thread and no connection. It is told over a socket what to become, and makes it in two steps, so
that the new process is the launcher's own child, as if the launcher had executed the command: it
has the command's name in `ps` and a session of its own, and ends when the launcher ends.
"""

import contextlib
import ctypes
import fcntl
import gc
import json
import os
import runpy
import signal
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from launcher.children import own_session

# What web and workers need beside Django, its apps and their tasks.
LOADED = (
    "celery.app.log",
    "celery.apps.worker",
    "celery.backends.base",
    "celery.bin.celery",
    "celery.bin.worker",
    "celery.concurrency.thread",
    "celery.contrib.django.task",
    "celery.worker.consumer",
    "celery.worker.loops",
    "channels.auth",
    "channels.routing",
    "config.beat",
    "config.context",
    "config.doors.bodies",
    "config.doors.fairness",
    "config.doors.networks",
    "config.doors.proxies",
    "config.doors.sockets",
    "config.static_names",
    "config.urls",
    "django.template.loaders.cached",
    "kombu.transport.redis",
    "market.live.consumers",
    "psycopg_pool",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvloop",
)
LOAD = b"load"
# Room for the commands of those who come from here, see `_be_named`.
NAME_BYTES = 2000
MOST_BYTES, MOST_DESCRIPTORS = 65_536, 8
# Descriptors that came along stand above these until they are where they belong.
ABOVE = 100
ADOPTED_SECONDS = 5.0


@dataclass
class Birth:
    """What is to come into being. `command` as for an exec: the interpreter, its -W, -m and a
    module, its arguments. `descriptors`: the numbers under which the new process has those that
    come along. `parent`: the launcher."""

    command: list[str]
    descriptors: list[int]
    parent: int
    nice: int = 0


def main() -> None:
    """Load, make what is asked for, and in what was made become it."""
    asked = socket.socket(fileno=int(sys.argv[1]))
    _be_named([sys.executable, "-m", "launcher.forking"])
    birth = None
    with _without_collecting():
        _load_django()
        while birth is None:
            words, descriptors, _, _ = socket.recv_fds(asked, MOST_BYTES, MOST_DESCRIPTORS)
            if not words:
                return
            if words == LOAD:
                _load_the_rest()
            else:
                birth = _bear(asked, Birth(**json.loads(words)), descriptors)
    asked.close()
    _become(birth)


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """The collector of garbage writes on what it looks at, which would be copied for it."""
    gc.disable()
    yield
    gc.enable()


def _load_django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import_module("django").setup()


def _load_the_rest() -> None:
    app = import_module("config.celery").app
    app.loader.import_default_modules()
    app.finalize()
    for name in LOADED:
        import_module(name)
    # what is made once a process when it is first asked for
    import_module("django.urls").get_resolver().reverse_dict  # noqa: B018
    for language in ("en", "ko"):
        with import_module("django.utils.translation").override(language):
            import_module("django.utils.translation").gettext("Home")
    # without collecting before, which would leave holes that others' first objects fill
    gc.freeze()


def _bear(asked: socket.socket, birth: Birth, descriptors: list[int]) -> Birth | None:
    """None in the nursery; in the new process what it is to be."""
    reading, writing = os.pipe()
    between = os.fork()
    if between:
        for number in (writing, *descriptors):
            os.close(number)
        os.waitpid(between, 0)
        # told when nothing is in between any more
        asked.send(os.read(reading, MOST_BYTES))
        os.close(reading)
        return None
    os.close(reading)
    if pid := os.fork():
        os.write(writing, str(pid).encode())
        os._exit(0)
    os.close(writing)
    _wait_until_adopted(birth.parent)
    own_session(signal.SIGTERM, birth.nice)()
    _put(descriptors, birth.descriptors)
    return birth


def _wait_until_adopted(parent: int) -> None:
    """What is in between has ended when the launcher is the parent, whose end is to be told."""
    end = time.monotonic() + ADOPTED_SECONDS
    while os.getppid() != parent:
        if time.monotonic() > end:
            os._exit(1)
        time.sleep(0.001)


def _put(descriptors: list[int], numbers: list[int]) -> None:
    above = [fcntl.fcntl(number, fcntl.F_DUPFD, ABOVE) for number in descriptors]
    for number in descriptors:
        os.close(number)
    for number, wanted in zip(above, numbers, strict=True):
        os.dup2(number, wanted)
        os.close(number)


def _become(birth: Birth) -> None:
    """Run the command's module, as `python -m` does."""
    _be_named(birth.command)
    words = birth.command[1:]
    while words[0] == "-W":
        warnings.simplefilter(words[1])  # type: ignore[arg-type]
        words = words[2:]
    assert words[0] == "-m", birth.command
    sys.argv = words[1:]
    runpy.run_module(words[1], run_name="__main__", alter_sys=True)


def _be_named(command: list[str]) -> None:
    """What `ps` tells of this process: the bytes of the command by which it was executed, where
    `NAME_BYTES` made room. A kernel that does not say where they are goes on telling that one."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = map(int, fields[45:47]) if len(fields) > 46 else (0, 0)
    if end - start < NAME_BYTES:
        return
    name = b"\0".join(map(os.fsencode, command))[: end - start - 1]
    ctypes.memmove(start, name.ljust(end - start, b"\0"), end - start)


if __name__ == "__main__":
    main()
