"""What the tests of pages share: where the system is, and what they look at in it."""

import os
import signal
import time
from pathlib import Path

from playwright.sync_api import Page

from tests.launcher.test_run import ROOT, environment

PORT = int(environment(Path("x"))["PORT"])
ADDRESS = f"http://127.0.0.1:{PORT}"
SIMULATOR = f"http://127.0.0.1:{PORT + 1}"
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]


def more(page: Page) -> None:
    """What a phone shows of the chart's controls only when asked."""
    page.get_by_role("button", name="More controls").click()


def open_menu(page: Page) -> None:
    page.get_by_label("Language, looks, account").click()


def serious_faults(page: Page) -> list[tuple[str, list[str]]]:
    """By axe-core's rules of WCAG 2.1 A and AA; its code comes through npm's lock file."""
    page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })")
    return [
        (fault["id"], [node["html"][:120] for node in fault["nodes"]])
        for fault in found["violations"]
        if fault["impact"] in {"serious", "critical"}
    ]


def processes(word: bytes, setting: bytes) -> list[int]:
    """Ids of processes with a word in their command and a setting in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command, given = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if word in command and setting in given:
            found.append(int(folder.name))
    return found


class Sleeper:
    """A page whose renderers are stopped, as a sleeping laptop or a hidden tab stops them."""

    def __init__(self, page: Page, renderers: list[int]) -> None:
        assert renderers, "the page has no renderer of its own"
        self.page = page
        self._renderers = renderers
        self._since = 0.0

    def stop(self) -> None:
        self._since = time.monotonic()
        for pid in self._renderers:
            os.kill(pid, signal.SIGSTOP)

    def wake(self, at_least: float = 0.0) -> None:
        """When it has stood still for so many seconds."""
        time.sleep(max(0.0, self._since + at_least - time.monotonic()))
        for pid in self._renderers:
            os.kill(pid, signal.SIGCONT)


def wait_for_the_list(page: Page, market: str = "usdm") -> None:
    """The exchange's list has come: what stands in it can be searched and ordered."""
    deadline = time.monotonic() + 60
    address = f"{ADDRESS}/api/instruments?search=BTC&market={market}"
    while not page.request.get(address).json()["rows"]:
        assert time.monotonic() < deadline, "the exchange's list has not come"
        page.wait_for_timeout(500)


def wait_for_the_future(page: Page) -> None:
    """It is followed as soon as the exchange's list has come."""
    deadline = time.monotonic() + 60
    address = f"{ADDRESS}/api/markets"
    while "usdm" not in {row["market"] for row in page.request.get(address).json()["rows"]}:
        assert time.monotonic() < deadline, "no future is followed"
        page.wait_for_timeout(500)
    page.reload()
