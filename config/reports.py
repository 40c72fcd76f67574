"""What a report of an error may show: never what a sensitive form brought, whatever DEBUG says."""

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class QuietFilter(SafeExceptionReporterFilter):
    """Django's filter, which by itself shows everything while DEBUG is on."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True
