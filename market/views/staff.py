"""Pages for staff: imports from the exchange's archive."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from market import tasks
from market.models import ImportJob
from market.views.forms import ImportForm
from market.vision import jobs

SHOWN = 30


@login_required
@permission_required("market.add_importjob", raise_exception=True)
@require_http_methods(["GET", "POST"])
def imports(request: HttpRequest) -> HttpResponse:
    """The form and the jobs, or the jobs' moving part alone."""
    context: dict[str, object] = {"jobs": ImportJob.objects.all()[:SHOWN]}
    if request.headers.get("X-Part") == "refresh":
        return render(request, "market/_imports.html", context)
    form = ImportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        jobs.ask(**form.cleaned_data, asked_by=request.user.get_username())
        tasks.import_vision.delay_on_commit()
        messages.success(request, _("The import has been asked for."))
        return redirect("imports")
    return render(request, "market/imports.html", {**context, "form": form})


@login_required
@permission_required("market.add_importjob", raise_exception=True)
@require_POST
def change_import(request: HttpRequest, job_id: int) -> HttpResponse:
    get_object_or_404(ImportJob, pk=job_id)
    wish = request.POST.get("do")
    if wish == "stop":
        jobs.stop(job_id)
    elif wish == "go-on":
        if jobs.go_on(job_id):
            tasks.import_vision.delay_on_commit()
        else:
            messages.info(request, _("It is at work, or waits; one that was killed goes on alone."))
    else:
        return HttpResponseBadRequest(_("Expected stop or go-on."))
    return redirect("imports")
