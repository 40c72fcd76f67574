"""How one's journal is computed and shown, and one's setups, tags and templates."""

import contextlib
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.requests import SignedInRequest
from journal.books import due
from journal.models import NoteTemplate, Preferences, Setup, Tag
from journal.selectors.home_cards import cards_of
from journal.selectors.preferences import preferences_of
from journal.services import displaying, removing
from journal.services.removing import KINDS
from journal.tasks import settle_soon
from journal.views.bar import is_number


class PreferencesForm(forms.ModelForm):  # type: ignore[type-arg]
    currency = forms.ChoiceField(
        choices=User.Currency.choices, label=gettext_lazy("Report currency")
    )

    class Meta:
        model = Preferences
        fields = ("method", "sets_aside", "zone", "day_start", "usual_risk")
        labels = {
            "method": gettext_lazy("Lots are closed by"),
            "sets_aside": gettext_lazy("A purchase after 60 days sets an open trade aside"),
            "zone": gettext_lazy("Time zone"),
            "day_start": gettext_lazy("A day begins at hour"),
            "usual_risk": gettext_lazy("Usual risk of a trade, in dollars"),
        }
        help_texts: ClassVar = {
            "usual_risk": gettext_lazy(
                "R of a trade without a first stop is its net by this. Empty: it has no R."
            )
        }


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def preferences(request: SignedInRequest) -> HttpResponse:
    chosen = preferences_of(request.user)
    before = chosen.method, chosen.sets_aside
    form = PreferencesForm(
        request.POST or None,
        instance=chosen,
        initial={"currency": request.user.report_currency},
    )
    is_at_once = request.headers.get("X-Part") == "at-once"
    if request.method == "POST" and form.is_valid():
        _save(request.user, form, is_computed_anew=(chosen.method, chosen.sets_aside) != before)
        if is_at_once:
            return HttpResponse(status=204)
        messages.success(request, _("Saved. What depends on it is computed again now."))
        return redirect("preferences")
    if is_at_once:
        return JsonResponse({"errors": form.errors}, status=422)
    context = {
        "form": form,
        "cards": cards_of(chosen),
        "setups": Setup.objects.visible_to(request.user),
        "tags": Tag.objects.visible_to(request.user),
        "templates": NoteTemplate.objects.visible_to(request.user),
    }
    return render(request, "journal/preferences.html", context)


def _save(user: User, form: PreferencesForm, *, is_computed_anew: bool) -> None:
    with transaction.atomic():
        form.instance.is_zone_chosen = True
        form.save()
        user.report_currency = form.cleaned_data["currency"]
        user.save(update_fields=["report_currency"])
        if is_computed_anew:
            due.make_everything_due(user)
    settle_soon()


@login_required
@require_POST
def zone(request: SignedInRequest) -> HttpResponse:
    """The browser's zone, of one who has chosen none."""
    displaying.choose_zone(user=request.user, zone=request.POST.get("zone", ""))
    return HttpResponse(status=204)


@login_required
@require_POST
def display(request: SignedInRequest) -> HttpResponse:
    """`unit` is money, percent or risk; `hide` is 1 or 0."""
    chosen = preferences_of(request.user)
    if "unit" in request.POST:
        if request.POST["unit"] not in Preferences.Unit.values:
            return HttpResponseBadRequest(_("Expected money, percent or risk."))
        chosen.unit = request.POST["unit"]
    if "hide" in request.POST:
        chosen.hides_amounts = request.POST["hide"] == "1"
    chosen.save(update_fields=["unit", "hides_amounts"])
    back = request.POST.get("next", "/")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return redirect(back if is_ours else "/")


@login_required
@require_POST
def home_card(request: SignedInRequest) -> HttpResponse:
    """`card` is a card of the home page; `do` is show, hide, up or down."""
    card, wish = request.POST.get("card", ""), request.POST.get("do", "")
    try:
        displaying.change_card(user=request.user, name=card, change=wish)
    except ValueError:
        return HttpResponseBadRequest(_("Expected show, hide, up or down of a card."))
    return redirect(f"{reverse('preferences')}#home-cards")


@login_required
@require_POST
def change(request: SignedInRequest) -> HttpResponse:
    """`do` is add-setup, delete-setup, delete-tag, add-template or delete-template."""
    wish, user = request.POST.get("do", ""), request.user
    name = " ".join(request.POST.get("name", "").replace("\0", "").split())[:60]
    chosen: Any = request.POST.get("id", "0")
    if wish == "add-setup" and name:
        Setup.objects.update_or_create(
            user=user,
            name=name,
            defaults={"rules": _rules(request), "conditions": _conditions(request)},
        )
    elif wish == "add-template" and name:
        text = request.POST.get("text", "").replace("\0", "")[:5000]
        NoteTemplate.objects.update_or_create(user=user, name=name, defaults={"text": text})
    elif wish.startswith("delete-") and is_number(chosen):
        kind = wish.removeprefix("delete-")
        token = removing.remove(user=user, kind=kind, pk=int(chosen)) if kind in KINDS else ""
        if token:
            messages.success(request, _("Removed."), extra_tags=f"undo:{token}")
    else:
        messages.error(request, _("Expected a name."))
    return redirect("preferences")


@login_required
@require_POST
def restore(request: SignedInRequest) -> HttpResponse:
    """`token`: what was removed last; it is kept for ten minutes."""
    if removing.restore(user=request.user, token=request.POST.get("token", "")):
        messages.success(request, _("It is back."))
    else:
        messages.error(request, _("Too late: what was removed is kept for ten minutes."))
    return redirect("preferences")


def _rules(request: SignedInRequest) -> list[str]:
    lines = [
        line.strip()[:200] for line in request.POST.get("rules", "").replace("\0", "").splitlines()
    ]
    return [line for line in lines if line][:20]


def _conditions(request: SignedInRequest) -> dict[str, str]:
    """The least share of takers' value on the entry's side within a minute."""
    conditions = {}
    if request.POST.get("direction") in {"LONG", "SHORT"}:
        conditions["direction"] = request.POST["direction"]
    with contextlib.suppress(InvalidOperation):
        share = Decimal(request.POST.get("least_share") or "nan")
        if share.is_finite() and -1 <= share <= 1:
            conditions["least_share"] = str(share)
    return conditions
