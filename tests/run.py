"""Every test: the suite with coverage, then the browser's tests in a call of their own."""

import subprocess
import sys
from pathlib import Path

from tests.captures import FOLDER, NAMES


def main() -> int:
    words = sys.argv[1:]
    suite = [sys.executable, "-m", "pytest", "-n", "2", "-m", "not browser"]
    coverage = ["--cov", "--cov-report=term:skip-covered"] if not words else []
    code = subprocess.run([*suite, *coverage, *words], check=False).returncode
    missing = [name for name in NAMES if not (FOLDER / name).exists()]
    if missing:
        sys.stdout.write(f"captures not tested (not in {FOLDER}): {', '.join(missing)}\n")
    return code


if __name__ == "__main__":
    assert Path("manage.py").exists(), "run it from the project's folder: make test"
    sys.exit(main())
