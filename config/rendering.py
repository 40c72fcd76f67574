"""Answers of the API as JSON: by msgspec, which takes a fifth of the time of the standard library's
for the thousands of bars of a range; what it does not know is written as before."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.utils.functional import Promise
from rest_framework.renderers import JSONRenderer

# Parts of text that JavaScript takes for the end of a line.
LINE_ENDS = (("\u2028".encode(), b"\\u2028"), ("\u2029".encode(), b"\\u2029"))


def _known(value: object) -> object:
    """A text that is told in the reader's language is told now."""
    if isinstance(value, Promise):
        return str(value)
    raise NotImplementedError


_encoder = msgspec.json.Encoder(enc_hook=_known, decimal_format="number")


class QuickJSONRenderer(JSONRenderer):
    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """What it means is what the base class says, which indents where that is asked for. No
        answer holds a span of time, bytes or a NaN, which msgspec would tell otherwise."""
        context = dict(renderer_context or {})
        is_plain = self.get_indent(accepted_media_type or "", context) is None
        if data is None or not is_plain:
            return super().render(data, accepted_media_type, context)
        try:
            told = _encoder.encode(data)
        except (NotImplementedError, TypeError, OverflowError, ValueError):
            return super().render(data, accepted_media_type, context)
        for end, escaped in LINE_ENDS:
            if end in told:
                told = told.replace(end, escaped)
        return told
