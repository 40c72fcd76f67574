"""Modules that are large and that most processes never need: loaded by the first use of them."""

import importlib
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
