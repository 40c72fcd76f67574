"""Starts the processes of Tapelog, starts again what dies, stops all in order."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from launcher.children import own_session
from launcher.nursery import ENVIRONMENT, Forked, Nursery, NurseryError

STOP_SECONDS = 10.0
STABLE_SECONDS = 30.0
LONGEST_PAUSE = 30.0
COLOURS = (36, 32, 33, 35, 34, 31)


@dataclass
class Child:
    """One process; `stop_order` says who goes first on Ctrl-C (lower first)."""

    name: str
    command: Sequence[str]
    stop_order: int = 0
    # file descriptors that it inherits
    descriptors: Sequence[int] = ()
    # how far it gives way to the others, 0 to 19
    nice: int = 0
    process: asyncio.subprocess.Process | Forked | None = None
    restarts: int = 0


class Supervisor:
    """Children come from the `nursery`, whose modules they would load as well, or by executing
    their commands."""

    def __init__(self, children: Sequence[Child], nursery: Nursery | None = None) -> None:
        self.children = children
        self._nursery = nursery
        self.stopping = False
        # by their number among the children
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._width = max(len(child.name) for child in children)

    def start(self, *names: str) -> None:
        """Start the children of these names, or all that are not started yet, and keep them
        running; call it inside the event loop."""
        for index, child in enumerate(self.children):
            if index not in self._tasks and (not names or child.name in names):
                self._tasks[index] = asyncio.create_task(self._keep_running(child, index))

    async def stop(self) -> None:
        """End the children group by group and wait for each group."""
        self.stopping = True
        for order in sorted({child.stop_order for child in self.children}):
            group = [child for child in self.children if child.stop_order == order]
            await asyncio.gather(*(self._end(child) for child in group))
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _keep_running(self, child: Child, index: int) -> None:
        pause = 1.0
        while not self._is_stopping():
            started = time.monotonic()
            how = await self._run_once(child, index)
            if self._is_stopping():
                return
            if time.monotonic() - started > STABLE_SECONDS:
                pause = 1.0
            child.restarts += 1
            self.say(child.name, f"{how}; starting again in {pause:.0f} s", index)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _run_once(self, child: Child, index: int) -> str:
        """How it ended, in words."""
        try:
            child.process = await self._make(child)
        except (NurseryError, OSError) as error:
            return f"cannot be started: {error}"
        await self._print_output(child, index)
        return f"ended with code {await child.process.wait()}"

    async def _make(self, child: Child) -> asyncio.subprocess.Process | Forked:
        if self._nursery is not None:
            return await self._nursery.make(child.command, child.descriptors, child.nice)
        return await asyncio.create_subprocess_exec(
            *child.command,
            env={**os.environ, **ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=own_session(signal.SIGTERM, child.nice),
            pass_fds=tuple(child.descriptors),
            limit=1 << 20,
        )

    def _is_stopping(self) -> bool:
        return self.stopping

    async def _print_output(self, child: Child, index: int) -> None:
        assert child.process is not None and child.process.stdout is not None
        while line := await _line(child.process.stdout):
            self.say(child.name, line.decode(errors="replace").rstrip(), index)

    async def _end(self, child: Child) -> None:
        process = child.process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    def say(self, name: str, text: str, index: int) -> None:
        label = f"{name:<{self._width}} |"
        if sys.stdout.isatty():
            label = f"\x1b[{COLOURS[index % len(COLOURS)]}m{label}\x1b[0m"
        print(label, text, flush=True)


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # a line longer than the limit
        return b"(a line too long to show)\n"
