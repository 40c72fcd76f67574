"""An upgrade without an interruption, walked: `make upgrade-proof FROM=<commit>`.

The whole of Tapelog runs from an older commit's code while somebody looks at pages, listens to a
socket and places orders. Then docs/operating.md is followed: migrations beside the old code, then
collectors, workers, beat and web processes one after the other. In the end nothing has failed,
every order is at the exchange once, and every bar is the exchange's.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.upgrading.walk import Walk

parser = argparse.ArgumentParser(prog="tests.upgrading", description=__doc__)
parser.add_argument("commit", help="what is upgraded from")
parser.add_argument("--keep", type=Path, help="a folder to keep logs and data in")
given = parser.parse_args()
with tempfile.TemporaryDirectory(prefix="tapelog-upgrade-") as throwaway:
    folder = given.keep or Path(throwaway)
    folder.mkdir(parents=True, exist_ok=True)
    walk = Walk(folder, given.commit)
    try:
        told = walk.run()
    finally:
        walk.stop()
sys.stdout.write(told.text() + "\n")
sys.exit(0 if told.is_well else 1)
