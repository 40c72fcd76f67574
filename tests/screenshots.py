"""Pictures of every page in both themes, languages and four widths, and one sheet with all of
them, for looking at them.

  make screenshots
  make screenshots GUIDE=--guide

Starts a throw-away installation, lets it collect for a while, and writes to screenshots/; with
--guide the pictures of docs/guide.md are made anew too.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright

from tests import chromium
from tests.launcher.test_run import ROOT, environment, wait_for

OUT = ROOT / "screenshots"
PAGES = {
    "sign-in": "/accounts/login/",
    "sign-up": "/accounts/signup/",
    "reset": "/accounts/password/reset/",
    "home": "/",
    "market": "/market/BTCUSDT/",
    "future": "/market/usdm/BTCUSDT/",
    "status": "/status/",
    "tokens": "/account/tokens/",
    "not-found": "/market/NOPE/",
    "accounts": "/account/exchange/",
    "connect": "/account/exchange/connect/",
    "imports": "/staff/imports/",
    "markets": "/markets/",
    "trades": "/trades/",
    "calendar": "/calendar/",
    "weeks": "/calendar/?view=weeks",
    "year": "/calendar/?view=year",
    "reports": "/reports/?by=setup",
    "matrix": "/reports/?by=symbol&across=weekday",
    "compare": "/reports/compare/?direction=LONG",
    "execution": "/reports/execution/",
    "realized": "/reports/realized/",
    "distribution": "/reports/distribution/",
    "trend": "/reports/trend/",
    "hours": "/reports/?by=hour&across=weekday",
    "portfolio": "/portfolio/",
    "offline": "/offline/",
    "settings": "/settings/",
    "insight": "/insight/",
    "insight-twin": "/insight/twin/",
    "insight-other-side": "/insight/counterparty/",
    "insight-stops": "/insight/stops/",
    "insight-execution": "/insight/execution/",
    "insight-rules": "/insight/rules/",
    "insight-together": "/insight/together/",
    "insight-any-two": "/insight/scatter/",
    "setups": "/reports/setups/",
    "trading": "/trading/",
    "alerts": "/alerts/",
    "new-alert": "/alerts/new/",
    "alert-events": "/alerts/events/",
    "channels": "/alerts/channels/",
    "help": "/help/",
    "guide": "/help/guide/",
    "security": "/account/security/",
    "second-factor": "/accounts/2fa/",
    "audit": "/account/audit/",
    "privacy": "/account/privacy/",
    "e-mail": "/accounts/email/",
    "password": "/accounts/password/change/",
    "api-docs": "/api/docs/",
}
LIVE = {"market", "future", "markets", "trade", "replay", "home"}
SIGNED_OUT = {"sign-in", "sign-up", "reset"}
WIDTHS = {
    "phone": (390, 844),
    "tablet": (768, 1024),
    "laptop": (1280, 720),
    "desktop": (1440, 900),
}
# those of the guide: the top of a page, as a laptop shows it
IN_THE_GUIDE = (
    "home",
    "market",
    "trades",
    "trade",
    "calendar",
    "reports",
    "insight",
    "portfolio",
    "alerts",
    "history",
)
GUIDE = ROOT / "docs" / "pictures"
GUIDE_SIZE = (1280, 860)
# of a picture on the sheet
CELL = (260, 320)
# so long that the demo's year is read and reviewed too
COLLECT_SECONDS = 240


def shoot(address: str, password: str) -> list[str]:
    """Returns what went wrong: sideways scroll and console errors."""
    faults: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium.path())
        PAGES.update(find_pages(browser.new_page(), address, password))
        for language in ("en", "ko"):
            for theme in ("light", "dark"):
                for width, (wide, high) in WIDTHS.items():
                    context = browser.new_context(
                        viewport={"width": wide, "height": high},
                        color_scheme="dark" if theme == "dark" else "light",
                        locale=language,
                        timezone_id="UTC",
                    )
                    page = context.new_page()
                    name = f"{language}-{theme}-{width}"
                    page.on("pageerror", partial(_note, faults, name))
                    _round(page, address, password, name, faults)
                    context.close()
        browser.close()
    return faults


def find_pages(page: Page, address: str, password: str) -> dict[str, str]:
    """Paths that hold an id: the demo's account, its history, a trade and its replay."""
    _sign_in(page, address, password)
    page.goto(f"{address}/account/exchange/")
    account = page.get_attribute("main table a", "href") or ""
    page.goto(f"{address}/trades/?review=yes")
    trade = (page.get_attribute("main table.trades td a", "href") or "").partition("?")[0]
    return {
        "account": account,
        "history": f"{account}history/",
        "import": f"{account}import/",
        "trade": trade,
        "replay": f"{trade}replay/",
    }


def _sign_in(page: Page, address: str, password: str) -> None:
    page.goto(f"{address}/accounts/login/")
    page.fill("input[name=login]", "demo")
    page.fill("input[name=password]", password)
    page.click("main button")


def _round(page: Page, address: str, password: str, name: str, faults: list[str]) -> None:
    for what in sorted(PAGES, key=lambda what: what not in SIGNED_OUT):
        if what not in SIGNED_OUT and page.context.cookies() and not _is_signed_in(page):
            _sign_in(page, address, password)
        try:
            answer = page.goto(address + PAGES[what])
            if answer is None or answer.status >= 500:
                faults.append(f"{name} {what}: an error of ours")
        except PlaywrightError as error:  # the others are looked at all the same
            faults.append(f"{name} {what}: {error.message.splitlines()[0]}")
            continue
        page.wait_for_timeout(3000 if what in LIVE else 300)
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        if wide[0] > wide[1]:
            faults.append(f"{name} {what}: {wide[0]} px wide in {wide[1]}")
        page.screenshot(path=OUT / f"{what}-{name}.png", full_page=what != "market")


def make_sheet() -> Path:
    """All pictures on one sheet: a row a page, a column a language, theme and width."""
    names = sorted(
        {path.name.split("-en-")[0].split("-ko-")[0] for path in OUT.glob("*-*-*-*.png")}
    )
    columns = [
        f"{language}-{theme}-{width}"
        for width in WIDTHS
        for theme in ("light", "dark")
        for language in ("en", "ko")
    ]
    sheet = Image.new("RGB", (len(columns) * CELL[0], len(names) * CELL[1]), "#808080")
    pen = ImageDraw.Draw(sheet)
    for down, name in enumerate(names):
        for across, column in enumerate(columns):
            path = OUT / f"{name}-{column}.png"
            if not path.exists():
                continue
            with Image.open(path) as picture:
                picture.thumbnail((CELL[0] - 8, CELL[1] - 22))
                sheet.paste(picture.convert("RGB"), (across * CELL[0] + 4, down * CELL[1] + 18))
            pen.text((across * CELL[0] + 4, down * CELL[1] + 3), f"{name} {column}", "#ffffff")
    path = OUT / "contact-sheet.jpg"
    sheet.save(path, quality=80)
    return path


def make_guide() -> None:
    for name in IN_THE_GUIDE:
        with Image.open(OUT / f"{name}-en-dark-laptop.png") as picture:
            top = picture.convert("RGB").crop(
                (0, 0, GUIDE_SIZE[0], min(picture.height, GUIDE_SIZE[1]))
            )
            top.save(GUIDE / f"{name}.webp", quality=82, method=6)


def _note(faults: list[str], name: str, error: object) -> None:
    faults.append(f"{name}: {error}")


def _is_signed_in(page: Page) -> bool:
    return any(cookie["name"] == "sessionid" for cookie in page.context.cookies())


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--guide", action="store_true", help="those of docs/guide.md too")
    is_for_guide = words.parse_args().guide
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tapelog-pictures-") as folder:
        data, log = Path(folder) / "data", Path(folder) / "log"
        given = environment(data)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "launcher", "run"],
                cwd=ROOT,
                env=given,
                stdout=output,
                stderr=output,
            )
        try:
            wait_for(log, "Tapelog is up at", 90)
            sys.stdout.write(f"collecting for {COLLECT_SECONDS} s …\n")
            sys.stdout.flush()
            time.sleep(COLLECT_SECONDS)
            password = (data / "secrets" / "demo-password").read_text()
            faults = shoot(f"http://127.0.0.1:{given['PORT']}", password)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(40)
    if is_for_guide:
        make_guide()
    sys.stdout.write(f"{make_sheet()}\n")
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
