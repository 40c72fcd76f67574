"""Where the embedded servers keep their data, sockets and secrets; no side effects on import."""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import quote

# Unix socket paths end at 107 bytes, so sockets live in a short folder of their own.
SECRET_NAMES = ("django", "postgres", "redis")


class Places:
    """The folders of one installation, named by its data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        digest = hashlib.sha256(f"{os.getuid()}:{data_dir}".encode()).hexdigest()[:12]
        self.sockets = Path(tempfile.gettempdir()) / f"tapelog-{digest}"
        if len(str(self.sockets)) > 80:  # TMPDIR may be deep
            self.sockets = Path("/tmp") / f"tapelog-{digest}"  # noqa: S108
        self.postgres = data_dir / "postgres"
        self.redis = data_dir / "redis"
        self.secrets = data_dir / "secrets"
        self.logs = data_dir / "logs"

    def secret(self, name: str) -> str | None:
        """A secret that `make_secrets` wrote, None before the first start."""
        path = self.secrets / name
        return path.read_text().strip() if path.exists() else None

    def make_secrets(self) -> None:
        """Write each missing secret, readable by its owner only."""
        self.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in SECRET_NAMES:
            path = self.secrets / name
            if not path.exists():
                part = path.with_suffix(".part")
                part.touch(mode=0o600)
                part.write_text(secrets.token_urlsafe(48))
                part.rename(path)

    @property
    def database_url(self) -> str:
        password = self.secret("postgres") or ""
        return f"postgresql://tapelog:{password}@/tapelog?host={quote(str(self.sockets))}"

    @property
    def redis_url(self) -> str:
        password = self.secret("redis") or ""
        return f"unix://:{password}@{self.sockets}/redis.sock?db=0"
