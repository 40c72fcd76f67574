"""One's own data: taken along as one file, or erased."""

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import tasks
from accounts.models import Export
from accounts.requests import SignedInRequest
from accounts.services import erasing, exporting
from accounts.step_up import step_up_required


@login_required
@never_cache
@require_GET
def privacy(request: SignedInRequest) -> HttpResponse:
    """What is kept, and both buttons."""
    context = {"export": Export.objects.filter(user=request.user).first()}
    return render(request, "accounts/privacy.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
@step_up_required
def export(request: SignedInRequest) -> HttpResponseBase:
    """POST asks for the file, GET hands it out, to its owner only."""
    if request.method == "POST":
        tasks.export_soon(exporting.ask(request.user))
        messages.success(request, _("Your file is being made. This page shows when it is there."))
        return redirect("account-privacy")
    ready = Export.objects.filter(user=request.user).first()
    if ready is None or not ready.is_there:
        raise Http404
    return exporting.as_answer(ready)


@login_required
@require_POST
@step_up_required
def erase(request: SignedInRequest) -> HttpResponse:
    """With the name typed out; what stands against it is told."""
    try:
        erasing.ask(request.user, typed=request.POST.get("name", ""))
    except erasing.CannotErase as error:
        messages.error(request, str(error))
        return redirect("account-privacy")
    tasks.erase_soon(request.user.pk)
    logout(request)
    return render(request, "accounts/erased.html")
