"""What `make image-proof` reads before it builds: the Dockerfile, .dockerignore, apt's sources."""

from pathlib import Path

import pytest

from docker.proof import dockerfile
from docker.proof.bases import mirror_of_this_machine
from docker.proof.client import named_paths
from docker.proof.compose import interpolated
from docker.proof.context import Context, is_ignored, rules
from docker.proof.dockerfile import DockerfileError, Instruction, parse

DOCKERFILE = Path(__file__).resolve().parents[2] / "docker" / "Dockerfile"


def one(text: str) -> Instruction:
    [stage] = parse(f"FROM python:3.13-slim\n{text}\n")
    [instruction] = stage.instructions
    return instruction


def test_our_dockerfile_is_understood_whole() -> None:
    frontend, image = dockerfile.read(DOCKERFILE)
    assert (frontend.name, frontend.base) == ("frontend", "node:24-slim")
    assert image.base == "python:3.13-slim"
    by_name = {each.name: each for each in image.instructions}
    assert dockerfile.word(by_name["USER"]) == "10001"
    assert dockerfile.command(by_name["CMD"])[:2] == ["uvicorn", "config.asgi:application"]
    check = dockerfile.healthcheck(by_name["HEALTHCHECK"])
    assert (check.interval, check.timeout, check.start_period, check.retries) == (10, 5, 30, 3)
    assert check.command[:2] == ["python", "-c"]


def test_lines_are_joined_over_comments_between_them() -> None:
    instruction = one("RUN one && \\\n  # why two\n  two \\\n  three")
    assert instruction == Instruction(2, "RUN", "one && two three")
    assert dockerfile.command(instruction) == ["/bin/sh", "-c", "one && two three"]


def test_copies_have_sources_a_destination_and_perhaps_a_stage() -> None:
    plain = dockerfile.copy(one("COPY a b ./"))
    assert (plain.sources, plain.destination, plain.stage) == (["a", "b"], "./", None)
    assert dockerfile.copy(one("COPY --from=frontend /app/x ./x")).stage == "frontend"


def test_an_environment_is_read_with_its_quotes() -> None:
    assert dockerfile.environment(one('ENV A=1 B="two words"')) == {"A": "1", "B": "two words"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("FROM a\nADD x y", "line 2: expected one of FROM, .*, was 'ADD'"),
        ("RUN x", "line 1: expected FROM first, was 'RUN'"),
        ("", "expected a FROM, was nothing"),
        ("FROM a b", "line 1: expected IMAGE or IMAGE AS NAME, was 'a b'"),
        ("FROM a\nRUN", "line 2: expected something after RUN"),
        ("FROM a\nRUN x \\", "line 2: expected another line after"),
        ("FROM a\nRUN <<EOF", "line 2: expected a command on its line, was 'a here-document'"),
        ("FROM a\nRUN --mount=type=cache x", "line 2: expected RUN without options"),
    ],
)
def test_it_refuses_what_it_cannot_follow(text: str, sentence: str) -> None:
    with pytest.raises(DockerfileError, match=sentence):
        parse(text)


def test_it_refuses_arguments_that_it_cannot_follow() -> None:
    with pytest.raises(DockerfileError, match="expected no option but --from, was '--chown'"):
        dockerfile.copy(one("COPY --chown=1 a b"))
    with pytest.raises(DockerfileError, match="expected NAME=value, was 'A'"):
        dockerfile.environment(one("ENV A b"))
    with pytest.raises(DockerfileError, match="expected no variables"):
        dockerfile.word(one("WORKDIR $HOME"))
    with pytest.raises(DockerfileError, match="expected an array of strings"):
        dockerfile.command(one("CMD [uvicorn]"))
    with pytest.raises(DockerfileError, match="expected a time such as 30s, was 'soon'"):
        dockerfile.healthcheck(one("HEALTHCHECK --interval=soon CMD true"))


@pytest.mark.parametrize(
    ("name", "out"),
    [
        ("var/postgres/base", True),
        ("market/var", False),  # a pattern begins at the context's root
        ("lib/__pycache__/money.pyc", True),
        ("__pycache__/manage.pyc", True),
        (".coverage.7", True),
        ("docs/a.md", True),
        ("docs/kept.md", False),
        ("docs/deep/a.md", False),  # a star ends at a folder
    ],
)
def test_the_last_pattern_of_dockerignore_decides(name: str, out: bool) -> None:
    text = "# caches\n\nvar/\n**/__pycache__\n.coverage*\ndocs/*.md\n!docs/kept.md\n"
    assert is_ignored(Path(name), rules(text)) is out


def test_a_context_has_what_its_dockerignore_lets_through(tmp_path: Path) -> None:
    for name in ("a.py", "var/data", "lib/b.py", "lib/__pycache__/b.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".dockerignore").write_text("var\n**/__pycache__\n.dockerignore\n")
    context = Context(tmp_path)
    assert context.files(".") == [Path("a.py"), Path("lib/b.py")]
    before = context.digest(["."])
    (tmp_path / "var/data").write_text("more")
    assert context.digest(["."]) == before
    (tmp_path / "a.py").write_text("more")
    assert context.digest(["."]) != before
    for missing in ("var/data", "nothing", "../a.py"):
        with pytest.raises(FileNotFoundError, match="expected"):
            context.files(missing)


def test_no_secret_and_no_cache_of_the_working_copy_gets_into_the_image() -> None:
    patterns = rules((DOCKERFILE.parents[1] / ".dockerignore").read_text())
    for name in (".env", "docker/secrets/secret_key", "var/secrets/django", ".git/config"):
        assert is_ignored(Path(name), patterns)
    for name in (".mypy_cache/x", "locale/ko/LC_MESSAGES/django.mo"):
        assert is_ignored(Path(name), patterns)
    for name in ("manage.py", "launcher/postgres.conf", "locale/ko/LC_MESSAGES/django.po"):
        assert not is_ignored(Path(name), patterns)


def test_the_mirror_is_the_first_that_has_debian(tmp_path: Path) -> None:
    folder = tmp_path / "sources.list.d"
    folder.mkdir()
    assert mirror_of_this_machine(tmp_path) == ""
    (folder / "a.list").write_text("deb http://else.example/apt tools main\n")
    (folder / "b.sources").write_text(
        "Types: deb\n# of a day\nURIs: http://one.example/debian\nSuites: bookworm\n\n"
        "Types: deb\nURIs: http://two.example/debian\nSuites: trixie\n"
    )
    assert mirror_of_this_machine(tmp_path) == "http://one.example/debian"
    (tmp_path / "sources.list").write_text("deb [arch=amd64] http://three.example/d trixie main\n")
    assert mirror_of_this_machine(tmp_path) == "http://three.example/d"


def test_paths_of_a_client_are_found_in_its_settings() -> None:
    text = "global.cert='/etc/ca.crt'\nglobal.index-url='https://x.example/simple file:///a/simple'"
    assert named_paths(text) == [Path("/etc/ca.crt"), Path("/a")]


def test_variables_of_compose_have_their_defaults() -> None:
    text = "https://${SITE:-localhost}:${PORT:-}/$$"
    assert interpolated(text, {}) == "https://localhost:/$"
    assert interpolated(text, {"SITE": "a.example", "PORT": "1"}) == "https://a.example:1/$"
