"""The documents that people need while they use it, in the shell, in their language where there is
one."""

import re
from functools import cache
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from journal.services import markdown

FIRST = "guide"
# file below docs/ (and docs/ko/) -> its name in the list
PAGES = {
    FIRST: _("A first week"),
    "troubleshooting": _("Troubleshooting"),
    "how-we-calculate": _("How we calculate"),
    "trading": _("Placing orders"),
    "insight": _("Insight"),
    "api": _("The API"),
    "operating": _("For the operator"),
}
# `### What you see {#clock}`: an anchor that is the same in every language
NAMED = re.compile(r"\s*\{#([a-z0-9-]+)\}\s*$")
HEADING = re.compile(r"<h([23])>(.*?)</h\1>", re.DOTALL)
LINK = re.compile(r'<a href="(?:\.\./)?(?:ko/)?([a-z-]+)\.md(#[^"]*)?"([^>]*)>(.*?)</a>', re.DOTALL)
# pictures, and the line below a title that leads to the other language
NOT_HERE = re.compile(r"^(?:!\[.*\]\(.*\)|English · \[.*|\[English\]\(.*)\n", re.MULTILINE)


@login_required
@require_GET
def help_page(request: HttpRequest, name: str = FIRST) -> HttpResponse:
    if name not in PAGES:
        raise Http404
    html, headings = page(name, _language(name))
    context = {"name": name, "pages": PAGES, "html": html, "headings": headings}
    return render(request, "help/page.html", context)


def _language(name: str) -> str:
    """`ko` where it is asked for and there."""
    wanted = (get_language() or "").partition("-")[0]
    return wanted if wanted == "ko" and path_of(name, "ko").is_file() else "en"


def path_of(name: str, language: str) -> Path:
    folder: Path = settings.BASE_DIR / "docs"
    return (folder / "ko" if language == "ko" else folder) / f"{name}.md"


@cache
def page(name: str, language: str) -> tuple[SafeString, list[tuple[str, str]]]:
    """The document as HTML, and (anchor, text) of its sections."""
    text = NOT_HERE.sub("", path_of(name, language).read_text())
    headings: list[tuple[str, str]] = []
    taken: set[str] = set()

    def anchored(match: re.Match[str]) -> str:
        level, inner = match.groups()
        named = NAMED.search(inner)
        inner = NAMED.sub("", inner)
        plain = strip_tags(inner)
        base = named[1] if named else slugify(plain, allow_unicode=True) or "section"
        anchor = base
        while anchor in taken:
            anchor = f"{base}-{len(taken)}"
        taken.add(anchor)
        if level == "2":
            headings.append((anchor, plain))
        return f'<h{level} id="{anchor}">{inner}</h{level}>'

    html = LINK.sub(_inside, HEADING.sub(anchored, markdown.render(text)))
    return mark_safe(html), headings  # noqa: S308  (cleaned by the renderer; anchors are slugs)


def _inside(match: re.Match[str]) -> str:
    """A link from document to document, where both are served here; else its text alone."""
    name, anchor, more, text = match.groups()
    return f'<a href="/help/{name}/{anchor or ""}"{more}>{text}</a>' if name in PAGES else text
