"""What every child process needs: its own session, and an end when the launcher dies."""

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWUSER = 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)


def own_session(death_signal: signal.Signals, nice: int = 0) -> Callable[[], None]:
    """For Popen's preexec_fn: the terminal's Ctrl-C reaches only the launcher, which stops its
    children in order; if the launcher is killed, the kernel sends them `death_signal`. With `nice`
    (1 to 19) a child gives way to the others where they all want the processor."""

    def prepare() -> None:
        os.setsid()
        _libc.prctl(PR_SET_PDEATHSIG, death_signal)
        if nice:
            os.nice(nice)
            # a kernel that groups by session compares the sessions
            with contextlib.suppress(OSError):
                Path("/proc/self/autogroup").write_text(str(nice))

    return prepare


def unprivileged_session(death_signal: signal.Signals) -> Callable[[], None]:
    """The same for PostgreSQL, which refuses to run as root: root appears as uid 1000 inside a user
    namespace, so that no file changes its owner and no folder above has to be opened."""

    def prepare() -> None:
        os.setsid()
        if _libc.unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "a user namespace cannot be made")
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text("1000 0 1")
        Path("/proc/self/gid_map").write_text("1000 0 1")
        _libc.prctl(PR_SET_PDEATHSIG, death_signal)

    return prepare


def can_unshare() -> bool:
    """Whether this kernel lets us make a user namespace (some containers do not)."""
    pid = os.fork()
    if pid == 0:
        try:
            unprivileged_session(signal.SIGKILL)()
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def can_adopt() -> bool:
    """Whether this kernel knows `adopts_orphans`."""
    is_known: bool = _libc.prctl(PR_SET_CHILD_SUBREAPER, 0) == 0
    return is_known


@contextlib.contextmanager
def adopts_orphans() -> Iterator[None]:
    """Meanwhile processes below this one whose parent ends become its own children."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 0)
