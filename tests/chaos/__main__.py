"""`python -m tests.chaos --minutes 10`"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import django

from tests.chaos.system import System

parser = argparse.ArgumentParser(prog="tests.chaos", description=__doc__)
parser.add_argument("--minutes", type=float, default=10.0)
parser.add_argument("--times", type=int, default=2, help="how often each kind must strike")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--pace", type=float, default=5.0, help="of the market, times the usual")
parser.add_argument("--kinds", default="", help="only faults with one of these words")
parser.add_argument("--settle", type=float, default=180.0, help="seconds to get whole again")
parser.add_argument("--keep", type=Path, help="a folder to keep logs and data in")
given = parser.parse_args()
folder = given.keep or Path(tempfile.mkdtemp(prefix="tapelog-chaos-"))
folder.mkdir(parents=True, exist_ok=True)
system = System(folder, ["BTCUSDT", "ETHUSDT", "SOLUSDT"], given.pace, given.seed)
# Django reads its settings once, so they must be the campaign's from the first import on.
system.places.make_secrets()
for name in ("DATABASE_URL", "REDIS_URL"):  # the suite's servers are not ours
    os.environ.pop(name, None)
os.environ.update(system.environment, DJANGO_SETTINGS_MODULE="config.settings")
django.setup()

from tests.chaos.campaign import Campaign  # noqa: E402

system.start()
try:
    report = Campaign(
        system, given.minutes, given.times, given.seed, given.kinds, given.settle
    ).run()
finally:
    sys.stdout.write("stopping\n")
    system.stop()
sys.stdout.write(report.text() + "\n")
sys.exit(1 if report.wrong or report.open_gaps else 0)
