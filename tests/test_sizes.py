"""No module grows beyond what one can keep in mind."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "accounts",
    "alerts",
    "benchmarks",
    "config",
    "journal",
    "launcher",
    "lib",
    "market",
    "simulator",
    "tests",
    "trading",
)
LONGEST = 400
# Read from top to bottom: it may not grow.
LONGER = {"config/settings.py": 640}


def test_no_module_is_longer_than_its_limit() -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in files
        if path.parent.name != "migrations"
    }
    too_long = {
        name: length for name, length in lengths.items() if length > LONGER.get(name, LONGEST)
    }
    assert too_long == {}
    assert len(lengths) > 500
