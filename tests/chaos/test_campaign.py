"""A minute of the campaign: each kind of fault once, then every bar is compared."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_minute_of_everything_that_can_break_leaves_every_bar_right(tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.chaos",
            "--minutes",
            "1",
            "--times",
            "1",
            "--pace",
            "2",
            "--settle",
            "120",
            "--keep",
            str(tmp_path / "chaos"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=590,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    assert " 0 wrong, 0 gaps left open" in ended.stdout
