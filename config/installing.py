"""What a browser needs to keep the pages on a home screen: the manifest, the worker that answers
without a network, and the page it answers with."""

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET

WORKER = Path(settings.BASE_DIR) / "static" / "js" / "service-worker.js"
GROUND = "#0b0e13"
# (size, purpose) of the pictures in static/icons
ICONS = ((192, "any"), (512, "any"), (512, "maskable"))


@require_GET
@cache_control(max_age=3600)
def manifest(request: HttpRequest) -> JsonResponse:
    icons = [
        {
            "src": static(f"icons/{purpose}-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for size, purpose in ICONS
    ]
    answer = {
        "name": "Tapelog",
        "short_name": "Tapelog",
        "description": _("Your trades, with the order flow behind every fill."),
        "lang": get_language(),
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": GROUND,
        "icons": icons,
        "shortcuts": [
            {"name": _("Markets"), "url": "/markets/"},
            {"name": _("Trades"), "url": "/trades/"},
        ],
    }
    return JsonResponse(answer, content_type="application/manifest+json")


@require_GET
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """From the root, since a worker sees only what lies below it."""
    return HttpResponse(WORKER.read_bytes(), content_type="text/javascript; charset=utf-8")


@require_GET
@cache_control(no_cache=True)
def offline(request: HttpRequest) -> HttpResponse:
    """Kept by the worker: it says nothing of anybody."""
    return render(request, "offline.html")
