"""Whether one user takes the service from another.

  make bench-neighbours

The whole system as `make run` starts it. An innocent user asks for the home page, the trades and
`realtime`, one after the other, in quiet and while a neighbour does at once all that one user can:
ten exports read slowly, the largest ranges, uploads, and ten sockets. What counts is the 95th
percentile of each beside its own in quiet, in the same run, and that nothing fails. Quiet and loud
take turns, three times each, since a machine's own speed changes within minutes and the 95th of
fifty is one answer. The demo is taken out first, since its year is read for minutes: both users
have fills of their own.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from websockets.asyncio.client import connect

ROOT = Path(__file__).resolve().parents[1]
SECONDS = float(os.environ.get("SECONDS", "40"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
FILLS = int(os.environ.get("FILLS", "50000"))
EXPORTS, RANGES, UPLOADS, SOCKETS = 10, 6, 2, 10
PAUSE = 0.15
TICKS = os.sysconf("SC_CLK_TCK")
IMPORT = "from benchmarks.neighbours_data import due, fill, without_demo"
INNOCENT_FILLS = 4_000
PASSWORD = "a-long-password-1"  # noqa: S105  (of a throw-away installation)
QUIET_MINUTES = 10
DOORS = {
    "home": "/",
    "trades": "/trades/",
    "realtime": "/api/cvd/realtime?symbol=BTCUSDT&interval=1m&minutes=60",
}
WIDE = (
    "/api/cvd/realtime?symbol=BTCUSDT&interval=1m&minutes=1440",
    "/api/cvd/range?symbol=BTCUSDT&interval=1m&limit=10000",
    "/api/indicators?symbol=BTCUSDT&interval=1m&limit=5000",
    "/api/reports?by=symbol&across=weekday",
    "/trades/?state=all",
    "/api/instruments?search=USDT",
)


def say(what: str) -> None:
    print(f"  {what}", file=sys.stderr, flush=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, port: int) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in {"REDIS_URL", "DATABASE_URL"}}
    return {**kept, "DATA_DIR": str(folder), "PORT": str(port), "MARKET_SYMBOLS": "BTCUSDT"}


def processor(root: int) -> dict[str, float]:
    """Seconds of the processor that a process and all below it took, by what they are."""
    parents: dict[int, int] = {}
    took: dict[int, float] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            values = entry.read_text().rpartition(")")[2].split()
            parents[int(entry.parent.name)] = int(values[1])
            took[int(entry.parent.name)] = sum(map(int, values[11:15])) / TICKS
    told = {"the bench itself": took[os.getpid()]}
    for pid, seconds in took.items():
        line, above = [pid], pid
        while (above := parents.get(above, 0)) and above != root:
            line.append(above)
        if above == root:
            kind = _kind(line[-1])
            told[kind] = told.get(kind, 0.0) + seconds
    return told


def _kind(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return "gone"
    named = next((word.partition("@")[0] for word in words if word.endswith("@%h")), "")
    module = words[words.index("-m") + 1] if "-m" in words else Path(words[0]).name
    return named or (module if module != "celery" else "beat")


@contextlib.asynccontextmanager
async def system(folder: Path, port: int) -> AsyncIterator[int]:
    """The number of the process above all."""
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "launcher", "run"],
            cwd=ROOT,
            env=environment(folder, port),
            stdout=output,
            stderr=output,
        )
    try:
        for _ in range(600):
            if b"Tapelog is up at" in log.read_bytes():
                break
            await asyncio.sleep(0.5)
        else:
            raise SystemExit("the system did not start")
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(120)


@dataclass
class Somebody:
    name: str
    password: str
    token: str = ""
    account: str = ""


def make_user(folder: Path, port: int, name: str, fills: int) -> Somebody:
    """With a history of so many fills."""
    told = _shell(folder, port, f"print(*fill({name!r}, {PASSWORD!r}, {fills}))")
    token, account = told[-2:]
    return Somebody(name, PASSWORD, token, account)


def _shell(folder: Path, port: int, work: str) -> list[str]:
    told = subprocess.run(
        [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", f"{IMPORT}; {work}"],
        cwd=ROOT,
        env=environment(folder, port),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return told.stdout.split()


def wait_until_quiet(folder: Path, port: int) -> None:
    """Until nothing is due any more."""
    for _ in range(QUIET_MINUTES * 4):
        due = _shell(folder, port, "print(due())")[-1]
        say(f"{due} files, books, fills and trades are still due")
        if due == "0":
            return
        time.sleep(15)
    raise SystemExit(f"not quiet after {QUIET_MINUTES} minutes")


async def signed_in(base: str, name: str, password: str) -> aiohttp.ClientSession:
    jar = aiohttp.CookieJar(unsafe=True)
    browser = aiohttp.ClientSession(
        base, cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=60), read_bufsize=4096
    )
    async with browser.get("/accounts/login/") as page:
        text = await page.text()
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)
    assert found is not None
    form = {"csrfmiddlewaretoken": found[1], "login": name, "password": password}
    async with browser.post("/accounts/login/", data=form, headers={"Referer": base}) as answer:
        assert answer.status == 200, answer.status
        assert "/accounts/login/" not in str(answer.url), f"{name} cannot sign in"
    return browser


@dataclass
class Seen:
    """Milliseconds by door, statuses that are no 200, and seconds of the processor by process."""

    took: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in DOORS})
    failed: Counter[str] = field(default_factory=Counter)
    worked: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def p95(self, name: str) -> float:
        return statistics.quantiles(self.took[name], n=100)[94]


async def look_around(browser: aiohttp.ClientSession, seconds: float, seen: Seen) -> None:
    end = time.monotonic() + seconds
    began = 0.0
    while time.monotonic() < end:
        for name, path in DOORS.items():
            began = time.perf_counter()
            try:
                async with browser.get(path) as answer:
                    await answer.read()
                    if answer.status != 200:
                        seen.failed[f"{name} {answer.status}"] += 1
            except (aiohttp.ClientError, TimeoutError) as error:
                seen.failed[f"{name} {type(error).__name__}"] += 1
            seen.took[name].append((time.perf_counter() - began) * 1000)
            if os.environ.get("LINE"):
                say(f"{began + seconds - end:6.1f} s {name} {seen.took[name][-1]:.0f}")
            await asyncio.sleep(PAUSE)


# --- what one user can do at once ---------------------------------------------------------------


async def export_slowly(browser: aiohttp.ClientSession, told: Counter[str]) -> None:
    """A whole list as a file, read a few bytes at a time."""
    async with browser.get("/api/fills?format=csv") as answer:
        told[f"export {answer.status}"] += 1
        if answer.status != 200:
            await asyncio.sleep(1)
            return
        while await answer.content.read(4096):
            await asyncio.sleep(0.2)


async def ask_widely(browser: aiohttp.ClientSession, told: Counter[str]) -> None:
    for path in WIDE:
        async with browser.get(path) as answer:
            await answer.read()
            told[f"range {answer.status}"] += 1


async def form_of(browser: aiohttp.ClientSession, account: str) -> tuple[str, str]:
    """The address of the page for files, and the token of its form."""
    page = f"/account/exchange/{account}/import/"
    async with browser.get(page) as answer:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', await answer.text())
        assert found is not None, answer.status
        return str(answer.url), found[1]


async def bring(
    browser: aiohttp.ClientSession, form_of_page: tuple[str, str], told: Counter[str]
) -> None:
    """A large file of an exchange's export, again and again."""
    page, token = form_of_page
    lines = "".join(
        f"2026-03-{1 + n % 28:02} 10:{n % 60:02}:00,BTCUSDT,BUY,100,1BTC,100USDT,0BTC\n"
        for n in range(60_000)
    )
    form = aiohttp.FormData({"csrfmiddlewaretoken": token, "zone": "UTC"})
    head = "Date(UTC),Pair,Side,Price,Executed,Amount,Fee\n"
    form.add_field("file", (head + lines).encode(), filename="trades.csv")
    async with browser.post(page, data=form, headers={"Referer": page}) as answer:
        told[f"upload {answer.status}"] += 1
        if answer.status != 200:
            await asyncio.sleep(1)


async def listen(base: str, token: str, told: Counter[str]) -> None:
    address = base.replace("http", "ws")
    headers = {"Authorization": f"Token {token}"}
    async with connect(f"{address}/ws/live/", additional_headers=headers) as live:
        topics = [f"flow:spot:BTCUSDT:{name}" for name in ("1s", "5s", "1m", "5m", "15m", "1h")]
        await live.send(json.dumps({"subscribe": [*topics, "book:spot:BTCUSDT"]}))
        told["socket"] += 1
        count = 0
        async for text in live:
            count += 1
            if count % 10 == 0 and (found := re.search(r'"seq": ?(\d+)', str(text))):
                await live.send(f'{{"ack": {found[1]}}}')


async def again_and_again(work: Callable[[], Awaitable[None]], told: Counter[str]) -> None:
    while True:
        try:
            await work()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            told[type(error).__name__] += 1
            await asyncio.sleep(0.5)


@contextlib.asynccontextmanager
async def loud(
    base: str, browser: aiohttp.ClientSession, one: Somebody, told: Counter[str]
) -> AsyncIterator[None]:
    form = await form_of(browser, one.account)
    works: list[Callable[[], Awaitable[None]]] = [
        *[lambda: export_slowly(browser, told)] * EXPORTS,
        *[lambda: ask_widely(browser, told)] * RANGES,
        *[lambda: bring(browser, form, told)] * UPLOADS,
        *[lambda: listen(base, one.token, told)] * SOCKETS,
    ]
    tasks = [asyncio.create_task(again_and_again(work, told)) for work in works]
    await asyncio.sleep(5)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def compare(folder: Path) -> int:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    async with system(folder, port) as pid:
        await asyncio.to_thread(_shell, folder, port, "without_demo()")
        one = await asyncio.to_thread(make_user, folder, port, "neighbour", FILLS)
        other = await asyncio.to_thread(make_user, folder, port, "innocent", INNOCENT_FILLS)
        innocent = await signed_in(base, other.name, other.password)
        neighbour = await signed_in(base, one.name, one.password)
        # once more: it may have been at work when it was taken out
        await asyncio.to_thread(_shell, folder, port, "without_demo()")
        quiet, noisy = Seen(), Seen()
        told: Counter[str] = Counter()
        for number in range(1, ROUNDS + 1):
            await asyncio.to_thread(wait_until_quiet, folder, port)
            await asyncio.sleep(20)
            await look_around(innocent, 5, Seen())
            say(f"round {number} of {ROUNDS}: in quiet, for {SECONDS:.0f} s")
            with working(pid, quiet.worked):
                await look_around(innocent, SECONDS, quiet)
            async with loud(base, neighbour, one, told):
                say(f"round {number} of {ROUNDS}: beside a loud neighbour, for {SECONDS:.0f} s")
                with working(pid, noisy.worked):
                    await look_around(innocent, SECONDS, noisy)
        await innocent.close()
        await neighbour.close()
    return report(quiet, noisy, told)


@contextlib.contextmanager
def working(pid: int, worked: dict[str, float]) -> Iterator[None]:
    """Seconds of the processor by what took them, added up over the block."""
    before = processor(pid)
    yield
    after = processor(pid)
    for name, seconds in after.items():
        worked[name] += seconds - before.get(name, 0)


def report(quiet: Seen, noisy: Seen, told: Counter[str]) -> int:
    print(f"{'of a core':20}{'quiet':>9}{'loud':>9}")
    for name in sorted(noisy.worked):
        shares = (seen.worked[name] / SECONDS / ROUNDS for seen in (quiet, noisy))
        print(f"{name:20}" + "".join(f"{share:9.2f}" for share in shares))
    print(f"{'p95, ms':12}{'quiet':>9}{'loud':>9}{'ratio':>8}")
    for name in DOORS:
        before, after = quiet.p95(name), noisy.p95(name)
        print(f"{name:12}{before:9.1f}{after:9.1f}{after / before:8.2f}")
    print("failed:", dict(quiet.failed + noisy.failed) or "nothing")
    print("the neighbour:", dict(sorted(told.items())))
    return 1 if noisy.failed else 0


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="tapelog-neighbours-"))
    try:
        return asyncio.run(compare(folder / "data"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
