"""A lazy module is that module, from the first use on."""

import sys
import threading

import pytest

from lib.lazy import Lazy


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
