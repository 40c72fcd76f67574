"""What Django's own check says of an installation as docker/compose.yaml runs it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "BINANCE": "live",
    "HTTPS": "true",
    "TRUSTED_PROXIES": "10.0.0.0/8",
    "ALLOWED_HOSTS": "journal.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://journal.example.org",
    "SECRET_KEY": "Zk3vQ9xW7pLm2Rt8Yc5Nb1Hd6Gf4Js0Aq-Ue_Io9Pz7Xv5Cb3-Tapelog-of-tests",
    "DATABASE_URL": "postgresql://tapelog:secret@db:5432/tapelog",
    "REDIS_URL": "redis://:secret@valkey:6379/0",
    "EMAIL_ENABLED": "true",
}


def check(**change: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **PRODUCTION, **change}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_deployment_check_has_nothing_to_say() -> None:
    done = check()
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout + done.stderr


def test_it_would_say_what_is_missing() -> None:
    done = check(HTTPS="false")
    assert done.returncode == 1
    assert "security.W012" in done.stderr
