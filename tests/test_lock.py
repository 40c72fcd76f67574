"""The lock installs as it stands, whatever its index has got since; and it is whole.

Packages are tiny wheels made here, the index is a local one: the network is never asked.
"""

import functools
import hashlib
import http.server
import os
import re
import shlex
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
# `gamma` wants `alpha[more]`, the lock says `alpha`: a resolver asks the index for the newest.
WHEELS = [
    ("gamma", "1.0", ["Requires-Dist: alpha[more]>=1"]),
    ("alpha", "1.0", ["Provides-Extra: more", 'Requires-Dist: beta>=1; extra == "more"']),
    ("alpha", "2.0", ["Provides-Extra: more", 'Requires-Dist: beta>=2; extra == "more"']),
    ("beta", "1.0", []),
    ("beta", "2.0", []),
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """The address of a simple index that has newer releases than the lock."""
    for name, version, lines in WHEELS:
        make_wheel(tmp_path / "simple" / name, name, version, lines)
    handler = functools.partial(Quiet, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/simple/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An environment without anything in it."""
    made = tmp_path / "environment"
    run([sys.executable, "-m", "venv", "--without-pip", str(made)])
    return made


def test_it_installs_what_is_locked_though_the_index_has_newer_releases(
    tmp_path: Path, index: str, folder: Path
) -> None:
    lock = write_lock(tmp_path, ["gamma", "alpha", "beta"])
    done = run([*words_of_pip(folder), "--index-url", index, "-r", str(lock)])
    assert done.returncode == 0, done.stderr
    check = run([sys.executable, "-m", "pip", "--python", str(folder), "check"])
    assert check.returncode == 0, check.stdout
    assert installed(folder) == {"gamma": "1.0", "alpha": "1.0", "beta": "1.0"}


def test_pip_check_sees_a_lock_that_lacks_something(
    tmp_path: Path, index: str, folder: Path
) -> None:
    lock = write_lock(tmp_path, ["gamma"])
    done = run([*words_of_pip(folder), "--index-url", index, "-r", str(lock)])
    assert done.returncode == 0, done.stderr
    check = run([sys.executable, "-m", "pip", "--python", str(folder), "check"])
    assert check.returncode != 0
    assert "gamma 1.0 requires alpha, which is not installed" in check.stdout


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_each_lock_holds_all_that_its_packages_need(name: str) -> None:
    locked = requirements_of(name) | requirements_of("requirements.txt")
    here = {str(canonicalize_name(item.metadata["Name"])): item for item in distributions()}
    needed = {
        package: [Requirement(text) for text in here[package].requires or []]
        for package in locked
        if package in here  # others are for another platform
    }
    extras = extras_asked_for([item for items in needed.values() for item in items])
    missing = [
        f"{package} needs {item}"
        for package, items in needed.items()
        for item in items
        if any(applies(item, extra) for extra in {"", *extras.get(package, set())})
        and not is_pinned(item, locked)
    ]
    assert missing == []


def is_pinned(item: Requirement, locked: dict[str, Requirement]) -> bool:
    pinned = locked.get(canonicalize_name(item.name))
    if pinned is None:
        return False
    return item.specifier.contains(next(iter(pinned.specifier)).version, prereleases=True)


def applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def extras_asked_for(others: list[Requirement]) -> dict[str, set[str]]:
    """By hand or by another package: a lock names its packages without them."""
    by_hand = [
        Requirement(line)
        for path in ROOT.glob("requirements*.in")
        for line in path.read_text().splitlines()
        if re.match(r"[a-zA-Z]", line)
    ]
    found: dict[str, set[str]] = {}
    for item in [*by_hand, *(other for other in others if applies(other, ""))]:
        found.setdefault(canonicalize_name(item.name), set()).update(item.extras)
    return found


def requirements_of(name: str) -> dict[str, Requirement]:
    lines = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    found = [
        Requirement(line.split(" --hash")[0])
        for line in lines
        if line.strip() and not line.lstrip().startswith("#")
    ]
    return {str(canonicalize_name(item.name)): item for item in found}


def words_of_pip(folder: Path) -> list[str]:
    """The Makefile's own command line, for another environment."""
    [line] = re.findall(r"^PIP := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    words = shlex.split(line)
    at = words.index("pip")
    return [sys.executable, *words[1 : at + 1], "--python", str(folder), *words[at + 1 :]]


def make_wheel(folder: Path, name: str, version: str, lines: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines]
    contents = {
        f"{name}.py": "",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in (contents | {f"{info}/RECORD": record}).items():
            wheel.writestr(path, text)


def write_lock(tmp_path: Path, names: list[str]) -> Path:
    """As `uv pip compile --generate-hashes` writes it: extras are left out."""
    path = tmp_path / "requirements.txt"
    lines = []
    for name in names:
        wheel = tmp_path / "simple" / name / f"{name}-1.0-py3-none-any.whl"
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        lines.append(f"{name}==1.0 \\\n    --hash=sha256:{digest}\n    # via -r x.in\n")
    path.write_text("".join(lines))
    return path


def installed(folder: Path) -> dict[str, str]:
    return {
        item.metadata["Name"]: item.version
        for path in folder.glob("lib/*/site-packages")
        for item in distributions(path=[str(path)])
    }


def run(words: list[str]) -> subprocess.CompletedProcess[str]:
    """Without the settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment = {**kept, "PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "127.0.0.1"}
    return subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
