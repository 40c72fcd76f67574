"""The pages' pure JavaScript, by Node's own runner: formatting, CVD arithmetic, runs and holes."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent


def node() -> str:
    """The machine's, else the one of the nodejs wheel (see the Makefile)."""
    found = shutil.which("node") or shutil.which("node", path=str(ROOT / ".venv" / "bin"))
    if found is None:
        pytest.fail("expected node on the path or in .venv/bin: make node_modules/.done brings it")
    return found


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.js")), ids=lambda path: path.stem)
def test_the_scripts_say_what_they_should(path: Path) -> None:
    done = subprocess.run(
        [node(), "--test", str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
