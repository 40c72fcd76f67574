"""Every test: the suite, then the browser's tests in a call of their own.

With `--coverage` the suite is measured too, which takes it half as long again.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests import chromium
from tests.captures import FOLDER, NAMES

PYTEST = [sys.executable, "-m", "pytest"]


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--coverage"]
    coverage = ["--cov", "--cov-report=term:skip-covered"] if "--coverage" in sys.argv else []
    # many tests wait for sockets and timers, so more run at once than there are cores
    suite = [
        *PYTEST,
        "-n",
        str(1 + (os.cpu_count() or 1)),
        "--dist",
        "worksteal",
        "-m",
        "not browser",
        # what nobody runs here need not be loaded by every worker
        "--ignore=tests/browser",
        *coverage,
        *words,
    ]
    code = subprocess.run(suite, check=False, env=_migrated()).returncode
    notes = [f"capture {name} (not in {FOLDER})" for name in NAMES if not (FOLDER / name).exists()]
    if words:
        notes.append("the pages in a browser (only with a plain `make test`)")
    elif chromium.install():
        # sync playwright and asyncio tests do not go together in one call
        # in one order: they share a system that reads its first year meanwhile
        call = [*PYTEST, "-q", "-p", "no:randomly", "-m", "browser", "tests/browser"]
        code = subprocess.run(call, check=False).returncode or code
    else:
        notes.append("the pages in a browser (Chromium is not there and cannot be installed)")
    sys.stdout.write(f"not tested: {'; '.join(notes) or 'nothing'}\n")
    return code


def _migrated() -> dict[str, str]:
    """Migrations run once, in a database that is nobody's; each worker's is a copy."""
    if os.environ.get("IS_THROWN_AWAY") != "1":
        return dict(os.environ)
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    done = subprocess.run(migrate, check=False).returncode == 0
    return {**os.environ, "IS_MIGRATED": str(int(done))}


if __name__ == "__main__":
    assert Path("manage.py").exists(), "run it from the project's folder: make test"
    sys.exit(main())
