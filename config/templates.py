"""Templates as they are written, and pages without what makes them readable as source."""

import re
from pathlib import Path

from django.template import Origin
from django.template.loaders.filesystem import Loader
from django.template.utils import get_app_template_dirs

# Lines stay lines, so that an error names the right one.
INDENTATION = re.compile(r"(?<=\n)[ \t]+")


class Unindented(Loader):
    """Finds what is in DIRS, then what applications bring. A list of a hundred trades is half
    indentation, which is left out once, when the template is loaded; what a page fills in is not
    touched."""

    def get_dirs(self) -> list[str | Path]:
        return [*super().get_dirs(), *get_app_template_dirs("templates")]

    def get_contents(self, origin: Origin) -> str:
        text = super().get_contents(origin)
        return INDENTATION.sub("", text) if origin.name.endswith(".html") else text
