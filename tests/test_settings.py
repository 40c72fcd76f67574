"""Every setting is explained, and a bad one refuses to start with a sentence."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

ROOT = Path(__file__).resolve().parent.parent


def names_in_settings() -> set[str]:
    text = (ROOT / "config" / "settings.py").read_text()
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_0-9]+)"', text))


def test_each_setting_stands_in_the_example_and_in_the_manual() -> None:
    example = (ROOT / ".env.example").read_text()
    manual = (ROOT / "docs" / "operating.md").read_text()
    for name in names_in_settings():
        assert re.search(rf"^#? ?{name}=", example, re.MULTILINE), f"{name} in .env.example"
        assert f"`{name}`" in manual, f"{name} in docs/operating.md"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("BINANCE", "moon", "expected one of simulator, testnet, live"),
        ("PORT", "http", "expected a number from 1 to 65535"),
        ("DATABASE_URL", "mysql://u:secret@h/d", "expected postgresql://"),
        ("REDIS_URL", "http://h", "expected redis://"),
        ("BINANCE_SPOT_API_URL", "https://h/api", "without a path"),
        ("MARKET_SYMBOLS", "BTC/USDT", "expected symbols such as BTCUSDT"),
        ("DEBUG", "perhaps", "expected true or false"),
    ],
)
def test_a_bad_setting_is_a_sentence(name: str, value: str, expected: str) -> None:
    started = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode != 0
    assert expected in started.stderr
    assert "secret" not in started.stderr.splitlines()[-1]


def test_a_secret_may_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    monkeypatch.delenv("SOME_SECRET", raising=False)
    monkeypatch.setenv("SOME_SECRET_FILE", str(file))
    assert env.text("SOME_SECRET") == "from a file"
    monkeypatch.setenv("SOME_SECRET", "from the environment")
    assert env.text("SOME_SECRET") == "from the environment"
    monkeypatch.delenv("SOME_SECRET")
    monkeypatch.setenv("SOME_SECRET_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(ImproperlyConfigured, match="SOME_SECRET_FILE: expected a readable file"):
        env.text("SOME_SECRET")
