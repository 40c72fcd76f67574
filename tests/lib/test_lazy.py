"""A lazy module is that module, from the first use on."""

import importlib
import sys
import threading
from pathlib import Path

import pytest

from lib.lazy import Lazy, import_without


def test_it_is_loaded_by_the_first_use_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    colours = Lazy("colorsys")
    assert "colorsys" not in sys.modules
    results = []
    askers = [
        threading.Thread(target=lambda: results.append(colours.rgb_to_hsv(0, 0, 0)))
        for _ in range(8)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert results == [(0.0, 0.0, 0)] * 8
    assert "colorsys" in sys.modules


def test_what_is_not_there_says_so() -> None:
    with pytest.raises(ImportError):
        _ = Lazy("no_such_module_anywhere").anything
    with pytest.raises(AttributeError):
        _ = Lazy("colorsys").no_such_thing


def test_a_module_is_imported_without_another_that_can_be_imported_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "try:\n    import colorsys\nexcept ImportError:\n    colorsys = None\n"
    (tmp_path / "has_an_option.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    assert import_without("has_an_option", "colorsys").colorsys is None
    assert importlib.import_module("colorsys").rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)
    del sys.modules["has_an_option"]
    assert import_without("has_an_option", "colorsys").colorsys is not None, "it was there before"
    with pytest.raises(ImportError):
        import_without("no_such_module_anywhere", "wave")
    assert "wave" not in sys.modules
