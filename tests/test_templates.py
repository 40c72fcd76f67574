"""Templates can be read, compared and blamed line by line."""

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
