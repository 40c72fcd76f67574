"""Templates can be read, compared and blamed line by line."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "templates"
LONGEST = 200


def test_no_line_of_a_template_is_longer_than_a_reader_takes_in() -> None:
    """The formatter's width is 120; it leaves some elements in one line whatever their length."""
    templates = [path for path in ROOT.rglob("*") if path.suffix in {".html", ".txt"}]
    too_long = [
        f"{path.relative_to(ROOT)}:{number}: {len(line)} characters"
        for path in templates
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LONGEST
    ]
    assert too_long == []
    assert len(templates) > 100


def test_texts_of_several_lines_are_trimmed() -> None:
    """Pages are told without the indentation of their templates (`config/templates.py`), and so are
    their texts: one with it would be looked for in vain among the translations."""
    texts = [
        (path.name, options, text)
        for path in ROOT.rglob("*.html")
        for options, text in re.findall(
            r"{%\s*blocktrans(?:late)?\b(.*?)%}(.*?){%", path.read_text(), re.DOTALL
        )
    ]
    assert [name for name, told, text in texts if "\n" in text and "trimmed" not in told] == []
    assert len(texts) > 50
