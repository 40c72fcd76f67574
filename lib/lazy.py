"""Modules that are large and that most processes never need: loaded by the first use of them, or
not at all."""

import importlib
import sys
from types import ModuleType
from typing import Any


class Lazy:
    """A module that is imported when something of it is asked for; an import is done once and
    locked by Python itself, so threads may ask together. Raises ImportError then."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)

    def __repr__(self) -> str:
        return f"<lazy module {self._name}>"


def import_without(name: str, *unwanted: str) -> ModuleType:
    """A module without others that it loads where they are installed, for callers that we are not.
    For the beginning of a process: meanwhile nobody else can import them. Raises ImportError."""
    hidden = [other for other in unwanted if other not in sys.modules]
    # None makes an import of it fail, as if it were not installed
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        return importlib.import_module(name)
    finally:
        for other in hidden:
            if sys.modules.get(other) is None:
                sys.modules.pop(other, None)
