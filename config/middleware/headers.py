"""Headers of every answer: what a page may use of the browser, and that private things are not
kept by anything between."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

# Nothing of the device but passkeys and the clipboard.
PERMISSIONS = ", ".join(
    [
        *(
            f"{name}=()"
            for name in (
                "accelerometer",
                "autoplay",
                "camera",
                "display-capture",
                "encrypted-media",
                "geolocation",
                "gyroscope",
                "hid",
                "idle-detection",
                "magnetometer",
                "microphone",
                "midi",
                "payment",
                "screen-wake-lock",
                "serial",
                "usb",
                "xr-spatial-tracking",
            )
        ),
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
        "clipboard-write=(self)",
        "fullscreen=(self)",
    ]
)


class PrivateHeaders(MiddlewareMixin):
    def process_response(self, request: HttpRequest, answer: HttpResponseBase) -> HttpResponseBase:
        answer.setdefault("Permissions-Policy", PERMISSIONS)
        answer.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if "Cache-Control" not in answer and not request.path.startswith(settings.STATIC_URL):
            answer["Cache-Control"] = "private, no-store"
            patch_vary_headers(answer, ["Cookie", "Authorization"])
        return answer
