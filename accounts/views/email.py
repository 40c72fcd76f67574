"""allauth's page of one's e-mail addresses, which is never left half-done."""

from typing import Any

from allauth.account.views import EmailView
from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _


class OwnEmailView(EmailView):  # type: ignore[misc]
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Another's address is refused without saying that it is another's."""
        try:
            with transaction.atomic():
                answer: HttpResponse = super().post(request, *args, **kwargs)
        except IntegrityError:
            messages.error(request, _("This address cannot be used."))
            return redirect("account_email")
        return answer
