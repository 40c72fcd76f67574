"""Run one command (the tests, a benchmark) against servers of its own, and stop them again."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from launcher.places import Places
from launcher.servers import ServerError, Servers


def with_servers(arguments: argparse.Namespace) -> int:
    """Starts embedded servers for what DATABASE_URL and REDIS_URL leave open, in a data folder that
    goes when the command ends; with `--data` in DATA_DIR. Returns the command's exit code."""
    data_dir = _data_dir() if arguments.data else Path(tempfile.mkdtemp(prefix="tapelog-test-"))
    servers = Servers(Places(data_dir), is_hasty=arguments.hasty and not arguments.data)
    if arguments.data and (servers.places.sockets / "redis.sock").exists():
        print(f"Tapelog is running in {data_dir}: stop it first", file=sys.stderr)
        return 1
    environment = {**os.environ, "DATA_DIR": str(data_dir)}
    external = bool(os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"))
    try:
        if external:
            servers.places.make_secrets()
        else:
            servers.start()
            environment["IS_THROWN_AWAY"] = str(int(not arguments.data))
        return subprocess.run(arguments.command, env=environment, check=False).returncode
    except ServerError as error:
        print(f"the servers cannot start: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        servers.stop()
        if not arguments.data:
            shutil.rmtree(data_dir, ignore_errors=True)


def _data_dir() -> Path:
    return Path(os.environ.get("DATA_DIR") or "var").expanduser().resolve()
