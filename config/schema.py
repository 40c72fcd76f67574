"""`/api/schema/`."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request


class SchemaView(SpectacularAPIView):
    """The description, made once a process: nothing in it depends on who asks."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        renderer: Any = type(request.accepted_renderer)
        answer = HttpResponse(_rendered(renderer), content_type=renderer.media_type)
        answer["Content-Disposition"] = f'inline; filename="tapelog.{renderer.format}"'
        return answer


@lru_cache(maxsize=8)
def _rendered(renderer: Callable[[], Any]) -> bytes:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    text: str | bytes = renderer().render(schema)
    return text if isinstance(text, bytes) else text.encode()
