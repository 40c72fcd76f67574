"""Runs the image as docker/compose.yaml does, and looks whether all is as it should be."""

import errno
import http.client
import json
import re
import signal
import time
from pathlib import Path
from urllib.parse import urljoin

from docker.proof import compose
from docker.proof.compose import Service
from docker.proof.container import SERVERS, Container, Process, container, write_secrets
from docker.proof.dockerfile import Healthcheck
from docker.proof.image import Image
from docker.proof.layers import merged
from docker.proof.machine import ProofError, own_network
from launcher.steps import step

SERVER_SECONDS = 120
PREPARE_SECONDS = 600
WEB_SECONDS = 120
WORKER_SECONDS = 180
PING_SECONDS = 30
REFUSED = {errno.EROFS}
PAGE = "/accounts/login/"
# the launcher's servers of the image's own wheels, until the proof ends
ADDRESSES = """
import json, os, pathlib, signal
from launcher.places import Places
places = Places(pathlib.Path(os.environ["DATA_DIR"]))
known = {"database_url": places.database_url, "redis_url": places.redis_url}
part = places.data_dir / "addresses.part"
part.write_text(json.dumps(known))
part.rename(places.data_dir / "addresses")
signal.pause()
"""
# every folder of the root where the user could make something
WRITABLE = """
import json, os, sys
skipped, found = set(sys.argv[1:]), []
for folder, names, files in os.walk("/"):
    names[:] = [name for name in names if os.path.join(folder, name) not in skipped]
    found += [folder] if os.access(folder, os.W_OK) else []
print(json.dumps(found))
"""
TOUCH = "import pathlib, sys; pathlib.Path(sys.argv[1], 'x').touch()"
TOUCH_AND_REMOVE = f"{TOUCH}; pathlib.Path(sys.argv[1], 'x').unlink()"


def prove(image: Image, compose_file: Path, work: Path) -> None:
    """Raises ProofError where the image does not run as it should."""
    print("docker/compose.yaml", flush=True)
    services = _services(image, compose_file, work)
    web = services["web"]
    if image.healthcheck is None or not image.command:
        raise ProofError("Dockerfile: expected a HEALTHCHECK and a CMD, was none")
    proxy = web.environment["TRUSTED_PROXIES"]
    own_network([proxy])
    with container(image, web, work) as inside:
        with step("a root that nobody can write in"):
            _check_root(inside, web)
        with step("PostgreSQL and Valkey of the image's own wheels"):
            servers = _start_servers(inside, web)
        with step(f"prepare: {services['prepare'].command[-1]}"):
            prepare = services["prepare"]
            inside.run("prepare", prepare.command, prepare.environment, PREPARE_SECONDS)
        with step("web: the image's CMD, until its HEALTHCHECK is content"):
            process = _start_web(inside, web, image.healthcheck)
        with step(f"web: user {inside.account.uid}, no capabilities, nothing to be had"):
            _check_confined(process, inside)
        with step(f"web: /healthz, and {PAGE} with what it names"):
            _check_pages(proxy)
        for service in services.values():
            if "worker" in service.command:
                with step(f"{service.name}: answers by way of the broker, stops when told to"):
                    worker = _start_worker(inside, service)
                    _check_confined(worker, inside)
                    worker.stop()  # the next answer is the next worker's
        with step("web and the servers stop when told to"):
            process.stop()
            servers.stop(signal.SIGINT)  # the launcher ends what it started


def _services(image: Image, compose_file: Path, work: Path) -> dict[str, Service]:
    root = work / "root"
    with step("services of the image, each with a read-only root"), merged(root, image.layers):
        found = compose.services(image, root, compose_file.read_text(), {"SITE": "localhost"})
    for name in ("prepare", "web", "worker"):
        if name not in found:
            raise ProofError(f"compose.yaml: expected a service {name}, was {', '.join(found)}")
    return found


def _check_root(inside: Container, service: Service) -> None:
    if inside.account.uid == 0:
        raise ProofError("USER: expected an ordinary user, was root")
    mounted = ["/proc", "/dev", *service.volumes, *service.tmpfs, "/run/secrets", SERVERS]
    said = inside.run("writable", ["python", "-c", WRITABLE, *mounted], {}, 60)
    if json.loads(said):
        raise ProofError(f"expected no writable folder, was {said.strip()}")
    for folder in ("app", "usr/local", "etc", "var/tmp"):
        try:  # this is root, whom no mode stops
            (inside.root / folder / "x").touch()
        except OSError as error:
            if error.errno not in REFUSED:
                raise
        else:
            raise ProofError(f"expected no way to write /{folder}/x, was written")
    touch = inside.start("touch", ["python", "-c", TOUCH, inside.image.workdir], {})
    if touch.wait(30) == 0 or "Read-only file system" not in touch.words():
        raise ProofError(f"expected a read-only file system, was{touch.words()}")
    for folder in [*service.volumes, *service.tmpfs, inside.image.environment["DATA_DIR"]]:
        inside.run("touch", ["python", "-c", TOUCH_AND_REMOVE, folder], {}, 30)


def _start_servers(inside: Container, service: Service) -> Process:
    data = f"{SERVERS}/data"
    launcher = ["python", "-m", "launcher", "exec", "--data", "--", "python", "-c", ADDRESSES]
    servers = inside.start("servers", launcher, {"DATA_DIR": data, "TMPDIR": SERVERS})
    addresses = inside.root / data.lstrip("/") / "addresses"
    servers.wait_until(addresses.exists, "PostgreSQL and Valkey", SERVER_SECONDS)
    write_secrets(inside, service.secrets, json.loads(addresses.read_text()))
    return servers


def _start_web(inside: Container, service: Service, check: Healthcheck) -> Process:
    web = inside.start("web", service.command or inside.image.command, service.environment)

    def is_healthy() -> bool:
        time.sleep(0.5)
        return inside.succeeds("health", check.command, service.environment, check.timeout)

    patience = check.start_period + check.retries * (check.interval + check.timeout)
    web.wait_until(is_healthy, "a content HEALTHCHECK", min(patience, WEB_SECONDS))
    return web


def _start_worker(inside: Container, service: Service) -> Process:
    worker = inside.start(service.name, service.command, service.environment)
    ping = ["celery", "-A", "config", "inspect", "ping", "--timeout", "2"]

    def answers() -> bool:
        return inside.succeeds("ping", ping, service.environment, PING_SECONDS)

    worker.wait_until(answers, "an answer to a ping", WORKER_SECONDS)
    return worker


def _check_confined(process: Process, inside: Container) -> None:
    wanted = {
        "Uid": "\t".join([str(inside.account.uid)] * 4),
        "Gid": "\t".join([str(inside.account.gid)] * 4),
        "Groups": "",
        "CapPrm": "0" * 16,
        "CapEff": "0" * 16,
        "CapBnd": "0" * 16,
        "NoNewPrivs": "1",
    }
    for field, value in wanted.items():
        was = process.status(field)
        if was != value:
            raise ProofError(f"{process.name}: {field}: expected {value!r}, was {was!r}")


def _check_pages(proxy: str) -> None:
    health = json.loads(_get("/healthz", "127.0.0.1"))
    if health != {"status": "up"}:
        raise ProofError(f"/healthz: expected up, was {health}")
    page = _get(PAGE, proxy).decode()
    styles = re.findall(r'<link[^>]+href="(/static/[^"]+\.css)"', page)
    if not styles:
        raise ProofError(f"{PAGE}: expected a stylesheet, was none in it")
    for name in sorted(set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))):
        _get(name, proxy)
    # fonts come out of node_modules, by way of collectstatic
    fonts = [font for style in styles for font in _named_in(style, _get(style, proxy).decode())]
    if not fonts:
        raise ProofError(f"{', '.join(styles)}: expected fonts, was none")
    for font in fonts:
        _get(font, proxy)


def _named_in(style: str, text: str) -> list[str]:
    names = re.findall(r"url\([\"']?([^\"')#]+)", text)
    return [urljoin(style, name) for name in names if not name.startswith("data:")]


def _get(path: str, source: str) -> bytes:
    """The body of a good answer, asked for as the proxy at `source` asks for a browser."""
    connection = http.client.HTTPConnection("127.0.0.1", 8000, 30, source_address=(source, 0))
    headers = {"Host": "localhost", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
    connection.request("GET", path, headers={} if source == "127.0.0.1" else headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200 or not body:
        raise ProofError(f"{path}: expected status 200 and a body, was {answer.status}")
    return body
