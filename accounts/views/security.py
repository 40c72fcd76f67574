"""Who is signed in as you, from where you may, and what was done in your name."""

from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.forms import NetworksForm
from accounts.models import AuditEntry
from accounts.requests import SignedInRequest
from accounts.services import auditing, sign_ins
from accounts.step_up import step_up_required
from lib.networks import is_within, parse_networks

ROWS_A_PAGE = 50


@login_required
@never_cache
@require_GET
def security(request: SignedInRequest) -> HttpResponse:
    context = {
        "has_factor": is_mfa_enabled(request.user),
        "sessions": UserSession.objects.purge_and_list(request.user),
        "session_key": request.session.session_key,
        "address": request.META.get("REMOTE_ADDR", ""),
        "form": NetworksForm(initial={"networks": ", ".join(request.user.networks)}),
    }
    return render(request, "accounts/security.html", context)


@login_required
@require_POST
@step_up_required
def networks(request: SignedInRequest) -> HttpResponse:
    """Where one may come from; a list that shuts oneself out is refused."""
    form = NetworksForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors.get("networks", []))))
        return redirect("account-security")
    wanted = form.cleaned_data["networks"]
    address = request.META.get("REMOTE_ADDR", "")
    if wanted and not is_within(address, parse_networks(wanted)):
        messages.error(request, _("Your own address is in none of these networks."))
        return redirect("account-security")
    request.user.networks = wanted
    request.user.save(update_fields=["networks"])
    auditing.record(
        owner=request.user,
        actor=request.user,
        action="networks changed",
        subject=str(request.user.pk),
        why=", ".join(wanted),
    )
    messages.success(request, _("Saved."))
    return redirect("account-security")


@login_required
@require_POST
def end_session(request: SignedInRequest, session_id: int) -> HttpResponse:
    """One of one's own sessions, and the sockets that it opened."""
    session = get_object_or_404(UserSession, pk=session_id, user=request.user)
    sign_ins.end_session(session)
    auditing.record(
        owner=request.user, actor=request.user, action="session ended", subject=str(session_id)
    )
    messages.success(request, _("The session is ended."))
    return redirect("account-security")


@login_required
@require_POST
def end_other_sessions(request: SignedInRequest) -> HttpResponse:
    """Every other session and every token."""
    sign_ins.end_all(request.user, why="asked to", keep=request.session.session_key)
    auditing.record(
        owner=request.user, actor=request.user, action="other sign-ins ended", subject=""
    )
    messages.success(request, _("All other sessions and all tokens are ended."))
    return redirect("account-security")


@login_required
@never_cache
@require_GET
def audit_trail(request: SignedInRequest) -> HttpResponse:
    """One's own rows, newest first."""
    rows = AuditEntry.objects.filter(owner=request.user).select_related("actor")
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/audit.html", {"page": page})
