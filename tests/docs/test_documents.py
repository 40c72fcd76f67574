"""Documents are true: links resolve, every setting and command that they name is there."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.test import Client

from config import help as help_pages

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "docker").rglob("*.md")),
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
MANAGE = re.compile(r"manage\.py ([a-z_]+)")
MAKE = re.compile(r"`(?:[A-Z_]+=\S+ )*make ([a-z0-9-]+)")
SETTING = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`")
# Words that look like settings: of other programs and of the exchange.
NOT_OURS = re.compile(r"(LIMIT|STOP|TAKE|TRAILING|FUNDING|POST|X|PROMETHEUS)_|_FILE$|_MARKET$")


def names_in_settings() -> set[str]:
    text = (ROOT / "config" / "settings.py").read_text()
    return set(re.findall(r'env\.\w+\(\s*"([A-Z_0-9]+)"', text))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(path.read_text()):
        target = link.partition("#")[0]
        if target and not target.startswith(("http://", "https://", "mailto:")):
            assert (path.parent / target).exists(), link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_exist(path: Path) -> None:
    text = path.read_text()
    missing = set(MANAGE.findall(text)) - set(get_commands())
    assert missing == set()
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(MAKE.findall(text)) - targets == set()


@pytest.mark.parametrize("name", ["docs/troubleshooting.md", "SECURITY.md", "UPGRADING.md"])
def test_settings_exist(name: str) -> None:
    named = {
        word for word in SETTING.findall((ROOT / name).read_text()) if not NOT_OURS.search(word)
    }
    assert named - names_in_settings() == set()


def test_there_are_at_least_forty_symptoms_each_with_a_look_and_a_remedy() -> None:
    guide = (ROOT / "docs" / "troubleshooting.md").read_text()
    entries = guide.split("\n### ")[1:]
    assert len(entries) >= 40
    for entry in entries:
        assert "- **Look:**" in entry and "- **Do:**" in entry, entry.partition("\n")[0]


def test_log_lines_that_the_guide_names_are_in_the_code() -> None:
    guide = (ROOT / "docs" / "troubleshooting.md").read_text()
    code = "\n".join(
        path.read_text()
        for app in ("accounts", "alerts", "config", "journal", "market", "trading")
        for path in (ROOT / app).rglob("*.py")
    )
    for line in re.findall(r"[Ll]og: ((?:`[^`]+`(?:, )?)+)", guide):
        for text in re.findall(r"`([^`]+)`", line):
            assert text.removesuffix(" for …") in code, text


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(help_pages.PAGES))
@pytest.mark.parametrize("language", ["en", "ko"])
def test_each_help_page_is_served_with_its_sections(
    alices_browser: Client, name: str, language: str
) -> None:
    page = alices_browser.get(f"/help/{name}/", headers={"Accept-Language": language})
    text = page.content.decode()
    assert page.status_code == 200
    assert "help-text" in text and re.search(r'<h2 id="[^"]+">', text)
    for target in re.findall(r'href="/help/([a-z-]+)/', text):
        assert target in help_pages.PAGES


@pytest.mark.django_db
def test_other_files_are_not_served(alices_browser: Client) -> None:
    assert alices_browser.get("/help/decisions/").status_code == 404
    assert alices_browser.get("/help/architecture/").status_code == 404
