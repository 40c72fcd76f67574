"""The market page in a real Chromium, against the whole system as `make run` starts it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.launcher.test_run import ROOT, environment, wait_for, wait_for_ready

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
PORT = int(environment(Path("x"))["PORT"])
QUIET = [
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--disable-quic",
]  # fmt: skip


@pytest.fixture(scope="module")
def password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("browser")
    log = data / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "launcher", "run"],
            cwd=ROOT, env=environment(data / "data"), stdout=output, stderr=output,
        )  # fmt: skip
    wait_for(log, "Tapelog is up at", 90)
    yield (data / "data" / "secrets" / "demo-password").read_text()
    process.send_signal(signal.SIGINT)
    process.wait(40)


@pytest.fixture
def page(password: str) -> Iterator[Page]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        opened = browser.new_page(viewport={"width": 390, "height": 844})
        faults: list[str] = []
        opened.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
        opened.on("pageerror", lambda error: faults.append(str(error)))
        opened.goto(f"http://127.0.0.1:{PORT}/accounts/login/")
        opened.get_by_label("Login").fill("demo")
        opened.get_by_label("Password").fill(password)
        opened.get_by_role("button", name="Sign in").click()
        opened.goto(f"http://127.0.0.1:{PORT}/market/BTCUSDT/")
        yield opened
        browser.close()
        unexpected = [
            text for text in faults if "WebSocket" not in text and "ERR_CONNECTION" not in text
        ]
        assert not unexpected


def test_the_page_is_live_and_its_figures_move(page: Page) -> None:
    expect(page.locator("[data-state]")).to_have_text("live")
    count = page.locator("[data-bands] tr:nth-child(1) td:nth-child(4)")
    first = count.text_content(timeout=10_000)
    expect(count).not_to_have_text(first or "", timeout=20_000)
    expect(page.locator("[data-price]")).not_to_have_text("–")


def test_switches_press_and_are_remembered(page: Page) -> None:
    page.get_by_role("button", name="order", exact=True).click()
    page.get_by_role("button", name="5m", exact=True).click()
    page.reload()
    expect(page.get_by_role("button", name="order", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.get_by_role("button", name="5m", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    band = page.get_by_role("button", name="100-1k")
    band.click()
    expect(band).to_have_attribute("aria-pressed", "false")


def test_a_phone_has_no_sideways_scroll(page: Page) -> None:
    expect(page.locator("[data-bands] tr")).to_have_count(6)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_restarted_server_is_found_again_without_a_reload(page: Page) -> None:
    expect(page.locator("[data-state]")).to_have_text("live")
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if b"uvicorn" in command and str(PORT).encode() in command:
            os.kill(int(folder.name), signal.SIGKILL)
    expect(page.locator("[data-state]")).to_have_text("reconnecting", timeout=10_000)
    wait_for_ready(40)
    expect(page.locator("[data-state]")).to_have_text("live", timeout=20_000)
