"""One system, as `make run` starts it, and one Chromium for all tests of pages."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests import chromium
from tests.browser.stage import ADDRESS, QUIET, Sleeper, processes
from tests.launcher.test_run import ROOT, environment, wait_for

expect.set_options(timeout=60_000)  # a whole system and a browser share the machine


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The cockpit last, and in it the guest: by then the demo's year is read and has its order
    flow, for which they would wait."""
    items.sort(key=lambda item: (item.path.stem == "test_cockpit", "to_a_guest" in item.name))


@pytest.fixture(scope="session")
def password(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    data = tmp_path_factory.mktemp("browser")
    log = data / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "launcher", "run"],
            cwd=ROOT,
            env=environment(data / "data"),
            stdout=output,
            stderr=output,
        )
    wait_for(log, "Tapelog is up at", 400)
    yield (data / "data" / "secrets" / "demo-password").read_text()
    process.send_signal(signal.SIGINT)
    process.wait(120)
    if request.session.testsfailed:
        sys.stderr.write(f"\nthe system's last words:\n{log.read_text()[-6000:]}\n")


@pytest.fixture(scope="session")
def signed_in(password: str) -> Iterator[tuple[Browser, Any]]:
    """A browser, and the cookies of somebody who has signed in with it."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium.path(), args=QUIET)
        opened = browser.new_page()
        opened.goto(f"{ADDRESS}/accounts/login/")
        opened.get_by_label("Login").fill("demo")
        opened.get_by_label("Password").fill(password)
        opened.get_by_role("button", name="Sign in", exact=True).click()
        opened.wait_for_url(f"{ADDRESS}/")
        yield browser, opened.context.storage_state()
        browser.close()


@pytest.fixture(scope="session", autouse=True)
def asleep(signed_in: tuple[Browser, Any]) -> Iterator[Sleeper]:
    """The market's page in a Chromium of its own, stopped while the other tests run."""
    browser = signed_in[0].browser_type.launch(executable_path=chromium.path(), args=QUIET)
    others = set(processes(b"--type=renderer", b""))
    page = browser.new_context(storage_state=signed_in[1]).new_page()
    page.goto(f"{ADDRESS}/market/BTCUSDT/")
    expect(page.locator("[data-state]")).to_contain_text("live")
    sleeper = Sleeper(page, sorted({*processes(b"--type=renderer", b"")} - others))
    sleeper.stop()
    yield sleeper
    sleeper.wake()
    browser.close()


# what a page's console says of an answer whose server was killed on the way
CUT = ("ERR_CONTENT_LENGTH_MISMATCH", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_EMPTY_RESPONSE")


@pytest.fixture
def page(signed_in: tuple[Browser, Any], request: pytest.FixtureRequest) -> Iterator[Page]:
    """A phone."""
    expected = CUT if request.node.get_closest_marker("kills_servers") else ()
    with opened(signed_in, 390, 844, expected) as fresh:
        yield fresh


@pytest.fixture
def desk(signed_in: tuple[Browser, Any]) -> Iterator[Page]:
    """A laptop."""
    with opened(signed_in, 1280, 800) as fresh:
        yield fresh


def told(message: ConsoleMessage) -> str:
    """With the address that it is about."""
    return f"{message.text} {message.location.get('url', '')}"


@contextmanager
def opened(
    signed_in: tuple[Browser, Any], wide: int, high: int, expected: tuple[str, ...] = ()
) -> Iterator[Page]:
    """Fresh but for the cookies; whatever goes wrong in its console fails the test, but what is
    expected, and connections that ended."""
    browser, state = signed_in
    context = browser.new_context(
        viewport={"width": wide, "height": high}, storage_state=state, reduced_motion="reduce"
    )
    fresh = context.new_page()
    faults: list[str] = []
    fresh.on("console", lambda m: faults.append(told(m)) if m.type == "error" else None)
    fresh.on("pageerror", lambda error: faults.append(str(error)))
    yield fresh
    context.close()
    expected = ("WebSocket", "ERR_CONNECTION", *expected)
    assert not [text for text in faults if not any(words in text for words in expected)]
