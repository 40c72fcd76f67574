"""Korean is complete: every text of templates and views has its message and placeholders."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.test import Client

ROOT = Path(__file__).resolve().parents[1]
TRANSLATE = re.compile(r"{%\s*translate\s+(?:\"([^\"]+)\"|'([^']+)')")
PLURAL = re.compile(
    r"{%\s*blocktranslate[^%]*%}((?:(?!{%).)*){%\s*plural\s*%}((?:(?!{%).)*){%\s*endblocktranslate",
    re.S,
)
ONE = re.compile(r"{%\s*blocktranslate((?:(?!%}).)*)%}((?:(?!{%).)*?){%\s*endblocktranslate", re.S)
NAMES = {"_", "gettext", "gettext_lazy", "gettext_noop"}
NAMES_WITH_CONTEXT = {"pgettext", "pgettext_lazy"}
# What trading raises for whoever asked, and where its sentence stands.
RAISED = {
    **dict.fromkeys(("Away", "ValueError", "UnknownOutcome"), 0),
    **dict.fromkeys(("BadOrder", "NotFound", "Forbidden", "Conflict", "OtherBody"), 1),
    **dict.fromkeys(("NoBudget", "BadKey", "Refused"), 1),
}


def catalog() -> Catalog:
    with (ROOT / "locale/ko/LC_MESSAGES/django.po").open("rb") as file:
        return read_po(file, locale="ko")


def texts() -> set[str]:
    found: set[str] = set()
    for path in (*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.txt")):
        content = path.read_text()
        found.update(double or single for double, single in TRANSLATE.findall(content))
        for options, one in ONE.findall(content):
            text = re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", one)
            found.add(" ".join(text.split()) if "trimmed" in options.split() else text)
        for one, _ in PLURAL.findall(content):
            found.add(re.sub(r"{{\s*(\w+)\s*}}", r"%(\1)s", one))
    for _, tree in modules():
        found.update(spoken(tree))
    return found


def modules() -> Iterator[tuple[Path, ast.AST]]:
    for app in ("accounts", "market", "journal", "trading", "alerts", "config"):
        for path in (ROOT / app).rglob("*.py"):
            yield path, ast.parse(path.read_text())


def texts_of_contexts() -> set[tuple[str, str]]:
    """(context, text) of modules; of templates the text alone is looked for."""
    return {
        (str(node.args[0].value), str(node.args[1].value))
        for _, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in NAMES_WITH_CONTEXT
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[1], ast.Constant)
    }


def spoken(tree: ast.AST) -> Iterator[str]:
    """What is handed to gettext, also over several lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            text = node.args[0]
            if node.func.id in NAMES and isinstance(text, ast.Constant):
                yield str(text.value)


def test_every_text_has_a_korean_message() -> None:
    messages = catalog()
    missing = [text for text in texts() if text not in messages or not messages[text].string]
    assert missing == []
    assert len(texts()) > 60
    for context, text in texts_of_contexts():
        message = messages.get(text, context)
        assert message is not None and message.string, (context, text)


def test_every_sentence_that_trading_raises_is_for_gettext() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / "trading").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in RAISED
        and any(is_bare(arg) for arg in node.args[RAISED[node.func.id] :])
    ]
    assert bare == []


def is_bare(sentence: ast.expr) -> bool:
    return isinstance(sentence, ast.JoinedStr) or (
        isinstance(sentence, ast.Constant) and isinstance(sentence.value, str)
    )


def test_no_message_is_left_over_or_loses_a_placeholder() -> None:
    used = texts() | {text for _, text in texts_of_contexts()}
    for message in catalog():
        if not message.id:
            continue
        source = message.id[0] if isinstance(message.id, tuple) else message.id
        target = message.string if isinstance(message.string, str) else (message.string or [""])[0]
        assert source in used, f"no page says {source!r}"
        assert set(re.findall(r"%\(\w+\)s", source)) == set(re.findall(r"%\(\w+\)s", target))


@pytest.mark.django_db
def test_the_language_can_be_chosen_and_is_remembered(alices_browser: Client) -> None:
    assert "Markets" in alices_browser.get("/").content.decode()
    answer = alices_browser.post("/language/", {"language": "ko", "next": "/"})
    assert answer.status_code == 302
    page = alices_browser.get("/").content.decode()
    assert '<html lang="ko">' in page
    assert "시장" in page


@pytest.mark.django_db
def test_a_browsers_language_counts_where_none_was_chosen(client: Client) -> None:
    page = client.get("/accounts/login/", headers={"Accept-Language": "ko"}).content.decode()
    assert "로그인" in page


@pytest.mark.django_db
def test_the_language_form_does_not_lead_away(alices_browser: Client) -> None:
    answer = alices_browser.post("/language/", {"language": "ko", "next": "https://evil.example/"})
    assert answer["Location"] == "/"


def test_no_text_of_a_template_holds_a_bare_percent_sign() -> None:
    """Django asks for such a text with the sign doubled, and finds no message."""
    for path in (ROOT / "templates").rglob("*.html"):
        for double, single in TRANSLATE.findall(path.read_text()):
            assert "%" not in double + single, path
