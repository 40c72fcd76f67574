"""Pages without the indentation of their templates, and with every character of what is in them."""

from pathlib import Path
from typing import Any

import pytest
from django.template import Context, Engine, TemplateSyntaxError
from django.template.loader import get_template

LOADER = "config.templates.Unindented"
WRITTEN = "<ul>\n    <li>\n\t{{ note }}\n\n    </li>\n</ul>\n"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "page.html").write_text(WRITTEN)
    (tmp_path / "mail.txt").write_text(WRITTEN)
    (tmp_path / "wrong.html").write_text("<p>\n\n    {% nothing %}\n</p>")
    return Engine(dirs=[str(tmp_path)], loaders=[LOADER], debug=True)


def test_lines_lose_what_stands_before_them_and_values_nothing(engine: Engine) -> None:
    page = engine.get_template("page.html").render(Context({"note": "a\n    b"}))
    assert page == "<ul>\n<li>\na\n    b\n\n</li>\n</ul>\n"


def test_what_is_no_page_stays_as_it_is(engine: Engine) -> None:
    mail = engine.get_template("mail.txt").render(Context({"note": "a"}))
    assert mail == WRITTEN.replace("{{ note }}", "a")


def test_an_error_names_the_line_of_the_source(engine: Engine) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        engine.get_template("wrong.html")
    assert caught.value.template_debug["line"] == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["base.html", "admin/base_site.html", "rest_framework/base.html"])
def test_ours_and_those_of_applications_are_found(name: str) -> None:
    template: Any = get_template(name)
    assert template.template.source
