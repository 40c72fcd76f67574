"""What a report of an error may show: no local variable, and nothing of what a form brought,
whatever DEBUG says. Place and message are enough to find a fault; keys pass through the frames."""

from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.views.debug import SafeExceptionReporterFilter


class QuietFilter(SafeExceptionReporterFilter):
    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> Any:
        shown: MultiValueDict[str, str] = MultiValueDict()
        for name in request.POST if request is not None else ():
            shown[name] = self.cleansed_substitute
        return shown

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> Any:
        return ()
