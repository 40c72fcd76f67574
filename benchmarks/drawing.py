"""Drawing the market page under a burst, measured with Chromium's tracing.

  make bench-drawing

The whole system as `make run` starts it, the market page in a headless Chromium. (a) as the made-up
market trades; (b) while 500 states a second are published on the page's topic. Figures are of the
main thread of the page: how much of the time it works, its longest task, tasks above 50 ms (what a
person feels), and frames drawn a second.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import redis
from playwright.sync_api import sync_playwright

from launcher.places import Places
from tests import chromium
from tests.launcher.test_run import ROOT, environment, wait_for

CHANNEL = "tl:live:simulator:flow:spot:BTCUSDT:1m"
SECONDS = 10
HERTZ = 500
CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline.frame", "toplevel"]


def main() -> int:
    os.environ.pop("REDIS_URL", None)
    with tempfile.TemporaryDirectory(prefix="tapelog-drawing-") as folder:
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
            time.sleep(20)
            password = (data / "secrets" / "demo-password").read_text()
            measure(f"http://127.0.0.1:{given['PORT']}", password, Places(data).redis_url)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(40)
    return 0


def measure(address: str, password: str, redis_url: str) -> None:
    client: Any = redis.Redis.from_url(redis_url)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium.path())
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/accounts/login/")
        page.fill("input[name=login]", "demo")
        page.fill("input[name=password]", password)
        page.click("main button")
        page.goto(f"{address}/market/BTCUSDT/")
        page.wait_for_timeout(4000)
        for label, hertz in (("(a) as the market trades", 0), (f"(b) {HERTZ} states/s", HERTZ)):
            stop = threading.Event()
            publisher = threading.Thread(target=publish, args=(client, hertz, stop))
            publisher.start()
            browser.start_tracing(page=page, categories=CATEGORIES)
            page.wait_for_timeout(SECONDS * 1000)
            trace = browser.stop_tracing()
            stop.set()
            publisher.join()
            tell(label, json.loads(trace)["traceEvents"])
        browser.close()


def publish(client: Any, hertz: int, stop: threading.Event) -> None:
    """The newest state of the market, again and again."""
    if not hertz:
        return
    with client.pubsub() as heard:
        heard.subscribe(CHANNEL)
        newest: Any = None
        while newest is None or b"\n" not in newest:
            message = heard.get_message(timeout=5)
            newest = message["data"] if message and message["type"] == "message" else None
    while not stop.is_set():
        client.publish(CHANNEL, newest)
        time.sleep(1 / hertz)


def tell(label: str, events: list[dict[str, Any]]) -> None:
    named = {
        (e["pid"], e["tid"])
        for e in events
        if e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"
    }
    scripts = Counter((e["pid"], e["tid"]) for e in events if e["name"] == "FunctionCall")
    thread = max(named, key=lambda who: scripts[who])
    tasks = [
        e["dur"] / 1000
        for e in events
        if e.get("ph") == "X"
        and e["name"] in {"RunTask", "ThreadControllerImpl::RunTask"}
        and (e["pid"], e["tid"]) == thread
    ]
    frames = sum(e["name"] == "DrawFrame" and e["pid"] == thread[0] for e in events)
    print(
        f"{label:26} main thread busy {sum(tasks) / SECONDS / 10:5.1f} %   longest task "
        f"{max(tasks):6.1f} ms   above 50 ms: {sum(t > 50 for t in tasks):3}   "
        f"{frames / SECONDS:5.1f} frames/s"
    )


if __name__ == "__main__":
    sys.exit(main())
