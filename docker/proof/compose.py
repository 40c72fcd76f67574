"""What docker/compose.yaml says of the services that run the image."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from docker.proof.image import Image
from docker.proof.machine import ProofError, tail

# the image brings a reader of YAML, this machine need not
READER = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)"


@dataclass(frozen=True)
class Service:
    """`volumes`: where each named volume stands. `command`: empty for the image's own."""

    name: str
    command: list[str]
    environment: dict[str, str]
    volumes: list[str]
    tmpfs: list[str]
    secrets: list[str]


def services(image: Image, root: Path, text: str, given: Mapping[str, str]) -> dict[str, Service]:
    """The services that are built here, each of which has to have a read-only root and no
    privileges. `given`: variables in place of their defaults."""
    done = subprocess.run(
        image.start(root, ["python", "-c", READER]),
        env=image.variables(root),
        input=text.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise ProofError(f"compose.yaml: expected YAML{tail(done.stderr)}")
    whole = json.loads(done.stdout)["services"]
    found = {name: _service(name, said, given) for name, said in whole.items() if "build" in said}
    for name in found:
        for key, wanted in {
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
        }.items():
            if whole[name].get(key) != wanted:
                was = whole[name].get(key)
                raise ProofError(f"compose.yaml: {name}.{key}: expected {wanted}, was {was}")
    return found


def interpolated(text: str, given: Mapping[str, str]) -> str:
    """`${NAME:-default}` and `$$`, as compose reads them."""

    def value(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else given.get(found[1]) or found[2] or ""

    return re.sub(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}", value, text)


def _service(name: str, said: dict[str, object], given: Mapping[str, str]) -> Service:
    environment = said.get("environment") or {}
    assert isinstance(environment, dict)
    return Service(
        name,
        [interpolated(word, given) for word in _texts(said, "command")],
        {key: interpolated(str(value), given) for key, value in environment.items()},
        [volume.split(":")[1] for volume in _texts(said, "volumes")],
        [folder.split(":")[0] for folder in _texts(said, "tmpfs")],
        _texts(said, "secrets"),
    )


def _texts(said: dict[str, object], key: str) -> list[str]:
    value = said.get(key) or []
    if not isinstance(value, list):
        raise ProofError(f"compose.yaml: {key}: expected a list, was {value!r}")
    return [str(each) for each in value]
