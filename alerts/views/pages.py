"""Alerts, what they have told, and the channels."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.requests import SignedInRequest
from accounts.vault.keyfiles import KeyProblem
from alerts.access import own_alert, own_channel
from alerts.conditions.kinds import KINDS
from alerts.models import Alert, Channel
from alerts.selectors import events
from alerts.services import changing, channels, firing, push_keys
from alerts.services.refusals import BadInput
from alerts.views import forms
from lib.dates import to_ms
from lib.envelope import NotOurs

EVENTS_SHOWN = 100


@login_required
@never_cache
@require_GET
def alert_list(request: SignedInRequest) -> HttpResponse:
    mine = Alert.objects.visible_to(request.user).prefetch_related("channels")
    context = {
        "alerts": mine,
        "templates": forms.TEMPLATES,
        "kinds": forms.kinds_of(request.user),
        "labels": forms.KIND_LABELS,
    }
    return render(request, "alerts/list.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def new_alert(request: SignedInRequest) -> HttpResponse:
    """The query says the kind, and whatever the page that led here knows."""
    kind = forms.kind_named(request.GET.get("kind", ""))
    if request.method == "POST":
        form = forms.AlertForm(request.user, kind, request.POST)
        if form.is_valid():
            try:
                changing.create(user=request.user, body=form.said())
            except BadInput as error:
                form.refuse(error.field, str(error))
            else:
                messages.success(request, _("The alert is at work."))
                return redirect("alerts")
    else:
        given = _given(request)
        form = forms.AlertForm(
            request.user, kind, initial=forms.beginning(request.user, kind, given)
        )
    return _form(request, form, None)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def alert(request: SignedInRequest, alert_id: int) -> HttpResponse:
    alert = own_alert(request.user, alert_id)
    kind = KINDS[alert.kind]
    if request.method == "POST":
        form = forms.AlertForm(request.user, kind, request.POST)
        if form.is_valid():
            try:
                changing.change(alert=alert, body=form.said())
            except BadInput as error:
                form.refuse(error.field, str(error))
            else:
                return redirect("alerts")
    else:
        form = forms.AlertForm(request.user, kind, initial=forms.standing(alert))
    return _form(request, form, alert)


def _form(request: SignedInRequest, form: forms.AlertForm, alert: Alert | None) -> HttpResponse:
    context = {
        "form": form,
        "alert": alert,
        "kind": form.kind,
        "kinds": forms.kinds_of(request.user),
        "label": forms.KIND_LABELS[form.kind.name],
        # what another kind of alert begins with too
        "given": {k: v for k, v in _given(request).items() if k not in {"kind", "name"}},
    }
    return render(request, "alerts/form.html", context)


def _given(request: SignedInRequest) -> dict[str, str]:
    """What the page that led here knows."""
    return {name: str(value) for name, value in request.GET.items() if len(value) <= 80}


@login_required
@require_POST
def alert_change(request: SignedInRequest, alert_id: int) -> HttpResponse:
    """`do` is pause, resume, copy, test or remove."""
    alert = own_alert(request.user, alert_id)
    wish = request.POST.get("do", "")
    if wish in {"pause", "resume"}:
        changing.change(alert=alert, body={"paused": wish == "pause"})
    elif wish == "copy":
        try:
            made = changing.copy(alert=alert)
        except BadInput as error:
            messages.error(request, str(error))
        else:
            return redirect("alert", made.pk)
    elif wish == "test":
        firing.test(alert, to_ms(timezone.now()))
        messages.success(request, _("A test is on its way."))
    elif wish == "remove":
        changing.remove(alert=alert)
        messages.success(request, _("The alert is removed; what it told stays."))
    else:
        return HttpResponseBadRequest(_("Expected something to do with the alert."))
    return redirect("alerts")


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def event_list(request: SignedInRequest) -> HttpResponse:
    """POST: everything is read."""
    if request.method == "POST":
        events.mark_read(request.user)
        return redirect("alert-events")
    try:
        rows, following = events.page(
            request.user, limit=EVENTS_SHOWN, cursor=request.GET.get("cursor", "")[:64]
        )
    except events.BadCursor:
        return redirect("alert-events")
    names = dict(Channel.objects.visible_to(request.user).values_list("pk", "name"))
    context = {"events": rows, "next": following, "channel_names": names}
    return render(request, "alerts/events.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("target")
def channel_list(request: SignedInRequest) -> HttpResponse:
    """POST adds one; a webhook's key is shown this once."""
    form = forms.ChannelForm(request.POST or None)
    made: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        try:
            channel, secret = channels.create(user=request.user, body=form.cleaned_data)
        except BadInput as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        except KeyProblem:
            form.add_error(None, _("The keys of this installation cannot be read now."))
        else:
            made = {"made": channel, "secret": secret}
            form = forms.ChannelForm()
    context = {
        **made,
        "form": form,
        "channels": Channel.objects.visible_to(request.user),
        "push_key": _push_key(),
    }
    return render(request, "alerts/channels.html", context)


@login_required
@require_POST
def channel_change(request: SignedInRequest, channel_id: UUID) -> HttpResponse:
    """`do` is prove (with a `code` where one was sent) or remove."""
    channel = own_channel(request.user, channel_id)
    wish = request.POST.get("do", "")
    if wish == "remove":
        channels.remove(channel=channel)
    elif wish == "prove":
        try:
            channel = channels.prove(channel=channel, code=request.POST.get("code", "")[:20])
        except channels.NotProven as error:
            messages.error(request, str(error))
        except (KeyProblem, NotOurs):
            messages.error(request, _("The keys of this installation cannot be read now."))
        else:
            is_proven = channel.state == Channel.Status.PROVEN
            messages.success(
                request, _("The channel is proven.") if is_proven else _("A code is on its way.")
            )
    else:
        return HttpResponseBadRequest(_("Expected something to do with the channel."))
    return redirect("alert-channels")


def _push_key() -> str:
    try:
        return push_keys.public_key()
    except KeyProblem:
        return ""
