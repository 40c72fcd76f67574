"""How this machine reaches the package registries: RUN steps see it, the image does not keep it."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from docker.proof.machine import mount

VARIABLES = re.compile(
    r"(?i)pip_.*|npm_config_.*|(https?|no|all)_proxy|ssl_cert_file|requests_ca_bundle"
    r"|curl_ca_bundle|node_extra_ca_certs"
)
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
ALWAYS = ("/etc/resolv.conf", "/etc/hosts", CERTIFICATES, "/etc/pip.conf", "/etc/xdg/pip")
OF_HOME = (".config/pip", ".pip", ".npmrc")
HOME = Path("/root")


@dataclass(frozen=True)
class Client:
    """Variables, and paths of this machine with where they stand within a root."""

    environment: dict[str, str]
    paths: dict[Path, str]

    def points(self) -> dict[str, bool]:
        return {inside: path.is_dir() for path, inside in self.paths.items()}

    def mount_in(self, root: Path) -> None:
        for path, inside in self.paths.items():
            point = str(root / inside.lstrip("/"))
            mount("--bind", str(path), point)
            mount("-o", "remount,bind,ro", point)


def of_this_machine() -> Client:
    """Variables and files of pip, npm, certificates and names, and the folders that these name."""
    environment = {name: value for name, value in os.environ.items() if VARIABLES.fullmatch(name)}
    settings = [*environment.values(), _answer([sys.executable, "-m", "pip", "config", "list"])]
    if shutil.which("npm"):
        environment["NPM_CONFIG_GLOBALCONFIG"] = _answer(["npm", "config", "get", "globalconfig"])
        settings += [environment["NPM_CONFIG_GLOBALCONFIG"]]
        settings += [_answer(["npm", "config", "get", "cafile"])]
    paths = {Path(name): name for name in ALWAYS}
    paths |= {path: str(path) for text in settings for path in named_paths(text)}
    paths |= {Path.home() / name: str(HOME / name) for name in OF_HOME}
    there = {path: inside for path, inside in paths.items() if path.exists()}
    # what lies below another comes with it
    return Client(
        environment,
        {
            path: inside
            for path, inside in sorted(there.items())
            if not any(parent in there for parent in path.parents)
        },
    )


def named_paths(text: str) -> list[Path]:
    """Absolute paths among the words of a setting, as such or as file: addresses."""
    words = [word.removeprefix("file://") for word in re.split(r"[\s'\"=,]+", text)]
    paths = [Path(word) for word in words if re.match(r"/[^/]", word)]
    # an index has its files beside it
    return [path.parent if path.name == "simple" else path for path in paths]


def _answer(command: list[str]) -> str:
    """What a command says, or nothing where it cannot."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/", check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
