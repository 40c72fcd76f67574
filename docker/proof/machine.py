"""What the proof asks of the kernel: namespaces of its own, mounts, commands with a log."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
TAIL_LINES = 25
NODES = ("null", "zero", "full", "random", "urandom", "tty")
_libc = ctypes.CDLL(None, use_errno=True)


class ProofError(Exception):
    """The proof has failed; the message says what was expected and what was."""


def in_own_namespaces(work: Callable[[], int]) -> int:
    """The code of `work`, which runs as process 1 of its own. The kernel ends all that it started
    and takes away all that it mounted when it ends, or is killed, or this process is."""
    _unshare(CLONE_NEWNS | CLONE_NEWPID)
    child = os.fork()
    if child == 0:
        os._exit(_as_first_process(work))
    # a session of its own gets no Ctrl-C from the terminal
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: os.kill(child, number))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def own_network(addresses: Sequence[str]) -> None:
    """Leaves the machine's network for one with a loopback only, which has these addresses too."""
    _unshare(CLONE_NEWNET)
    run(["ip", "link", "set", "lo", "up"])
    for address in addresses:
        run(["ip", "address", "add", f"{address}/32", "dev", "lo"])


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    log: Path | None = None,
    timeout: float = 60,
) -> None:
    """Run to a good end; else a ProofError with the last lines of what it said."""
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        _keep(log, error.output or b"")
        raise ProofError(
            f"{_shown(command)}: expected an end within {timeout:.0f} s, was none"
            + tail(error.output)
        ) from error
    _keep(log, done.stdout)
    if done.returncode:
        raise ProofError(
            f"{_shown(command)}: expected exit status 0, was {done.returncode}" + tail(done.stdout)
        )


def tail(output: bytes | None) -> str:
    lines = (output or b"").decode(errors="replace").splitlines()[-TAIL_LINES:]
    return "".join(f"\n    | {line}" for line in lines)


def mount(*words: str) -> None:
    run(["mount", *words])


def unmount(point: Path, *, is_lazy: bool = False) -> None:
    run(["umount", "--recursive", *(["--lazy"] if is_lazy else []), str(point)])


def mount_kernel(root: Path) -> None:
    """/proc and a small /dev, as a container has them."""
    mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", str(root / "proc"))
    devices = root / "dev"
    mount("-t", "tmpfs", "-o", "mode=755,nosuid,size=64k", "tmpfs", str(devices))
    for name in NODES:
        (devices / name).touch()
        mount("--bind", f"/dev/{name}", str(devices / name))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (devices / name).symlink_to(f"/proc/self/fd/{number}")
    (devices / "fd").symlink_to("/proc/self/fd")
    (devices / "shm").mkdir()
    options = "mode=1777,nosuid,nodev,noexec,size=64m"
    mount("-t", "tmpfs", "-o", options, "tmpfs", str(devices / "shm"))
    mount("-o", "remount,ro", str(devices))


def _as_first_process(work: Callable[[], int]) -> int:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _as_interrupt)
    try:
        mount("--make-rprivate", "/")
        mount("-t", "proc", "proc", "/proc")
        return work()
    except ProofError as error:
        print(f"\n{error}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr, flush=True)
        return 130


def _as_interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _unshare(flags: int) -> None:
    if _libc.unshare(flags) != 0:
        error = os.strerror(ctypes.get_errno())
        raise ProofError(f"expected to be root with namespaces of its own, was: {error}")


def _keep(log: Path | None, output: bytes) -> None:
    if log is not None:
        log.write_bytes(output)


def _shown(command: Sequence[str]) -> str:
    text = " ".join(command)
    return text if len(text) <= 200 else f"{text[:200]}…"
