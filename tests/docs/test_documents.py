"""Documents are true: links resolve, every setting and command that they name is there."""

import re
from pathlib import Path
from urllib.parse import unquote

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


# pages of which every heading is there in Korean
TRANSLATED = ["guide", "how-we-calculate", "ledger", "troubleshooting"]
# the troubleshooting guide in each language, and what is said in it before a log's texts
TROUBLES = {
    "en": ("docs/troubleshooting.md", "[Ll]og"),
    "ko": ("docs/ko/troubleshooting.md", "로그"),
}
REMEDY = {"en": ("- **Look:**", "- **Do:**"), "ko": ("- **확인:**", "- **조치:**")}


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


@pytest.mark.parametrize(
    "name",
    ["docs/troubleshooting.md", "docs/ko/troubleshooting.md", "SECURITY.md", "UPGRADING.md"],
)
def test_settings_exist(name: str) -> None:
    named = {
        word for word in SETTING.findall((ROOT / name).read_text()) if not NOT_OURS.search(word)
    }
    assert named - names_in_settings() == set()


@pytest.mark.parametrize("language", TROUBLES)
def test_there_are_at_least_forty_symptoms_each_with_a_look_and_a_remedy(language: str) -> None:
    guide = (ROOT / TROUBLES[language][0]).read_text()
    look, do = REMEDY[language]
    entries = guide.split("\n### ")[1:]
    assert len(entries) >= 40
    for entry in entries:
        assert look in entry and do in entry, entry.partition("\n")[0]


@pytest.mark.parametrize("language", TROUBLES)
def test_log_lines_that_the_guide_names_are_in_the_code(language: str) -> None:
    path, log = TROUBLES[language]
    guide = (ROOT / path).read_text()
    code = "\n".join(
        path.read_text()
        for app in ("accounts", "alerts", "config", "journal", "market", "trading")
        for path in (ROOT / app).rglob("*.py")
    )
    lines = re.findall(rf"{log}: ((?:`[^`]+`(?:, )?)+)", guide)
    assert lines
    for line in lines:
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


def ids_of(html: str) -> list[str]:
    return re.findall(r'<h[23] id="([^"]+)">', html)


def html_for(name: str, reader: str) -> str:
    """In the reader's language where it is there."""
    language = reader if help_pages.path_of(name, reader).is_file() else "en"
    return help_pages.page(name, language)[0]


@pytest.mark.parametrize("name", sorted(help_pages.PAGES))
@pytest.mark.parametrize("reader", ["en", "ko"])
def test_each_link_of_a_help_page_leads_to_a_page_and_an_anchor(name: str, reader: str) -> None:
    for link in re.findall(r'href="([^"]+)"', html_for(name, reader)):
        there, _, anchor = link.partition("#")
        target = there.removeprefix("/help/").strip("/") if there else name
        if not link.startswith(("http://", "https://")):
            assert target in help_pages.PAGES, link
            assert not anchor or unquote(anchor) in ids_of(html_for(target, reader)), link


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translated_page_has_the_same_headings(name: str) -> None:
    """As many, in the same order, of the same depth; commands and names in code are the same."""
    texts = [(ROOT / "docs" / folder / f"{name}.md").read_text() for folder in ("", "ko")]
    texts = [re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE) for text in texts]
    english, korean = (re.findall(r"^#+(?= )", text, re.MULTILINE) for text in texts)
    assert korean == english


def test_the_same_trouble_has_the_same_anchor_and_place_in_both_languages() -> None:
    texts = [(ROOT / path).read_text() for path, _log in TROUBLES.values()]
    english, korean = (
        re.findall(r"^(#+) .*?(?: {#([a-z0-9-]+)})?$", text, re.MULTILINE) for text in texts
    )
    assert korean == english
    codes = (sorted(re.findall(r"`([^`]+)`", text)) for text in texts)
    assert len({tuple(code) for code in codes}) == 1


def test_the_guide_has_the_same_anchors_and_commands_in_both_languages() -> None:
    english, korean = (help_pages.page("guide", language)[0] for language in ("en", "ko"))
    assert ids_of(korean) == ids_of(english)
    codes = (re.findall(r"<code>(.*?)</code>", html, re.DOTALL) for html in (english, korean))
    assert len({tuple(sorted(" ".join(code.split()) for code in page)) for page in codes}) == 1


@pytest.mark.django_db
def test_the_guide_is_korean_to_a_korean_reader(alices_browser: Client) -> None:
    titles = {
        language: re.findall(
            r"<h1>(.*?)</h1>",
            alices_browser.get(
                "/help/guide/", headers={"Accept-Language": language}
            ).content.decode(),
        )
        for language in ("en", "ko")
    }
    assert titles == {"en": ["A first week with Tapelog"], "ko": ["Tapelog와 보내는 첫 일주일"]}


@pytest.mark.django_db
def test_other_files_are_not_served(alices_browser: Client) -> None:
    assert alices_browser.get("/help/decisions/").status_code == 404
    assert alices_browser.get("/help/architecture/").status_code == 404
