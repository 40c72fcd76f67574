"""The page of trading: switches, what is open, the day, one's rules and their breaks."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import step_up
from accounts.access import own_account
from accounts.models import User
from trading.errors import TradingError
from trading.forms import RulesForm, SwitchForm
from trading.models import OrderIntent, Rule, TradingSwitch
from trading.selectors.breaks import breaks_of, by_rule
from trading.selectors.today import day_so_far
from trading.services import switching
from trading.services.ruling import put_rules
from trading.services.traders import traders_of
from trading.services.watching import naked_of

SHOWN = 30


@login_required
@require_GET
def trading(request: HttpRequest) -> HttpResponse:
    return _page(request, RulesForm.of(Rule.objects.filter(user=_user(request))))


@login_required
@require_POST
def rules(request: HttpRequest) -> HttpResponse:
    form = RulesForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        put_rules(user=_user(request), rows=form.rows())
    except TradingError as error:
        form.add_error(None, error.detail)
        return _page(request, form, status=400)
    messages.success(request, _("Your rules are kept."))
    return redirect("trading")


@login_required
@require_POST
def switch(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """On asks for a fresh second factor where money is at stake; off asks for nothing."""
    account = own_account(_user(request), account_id)
    user = _user(request)
    if request.POST.get("action") == "off":
        switching.switch_off(account=account, actor=user, why="owner")
        messages.success(request, _("Trading is off for %(account)s.") % {"account": account.label})
        return redirect("trading")
    if settings.BINANCE == "live" and not step_up.has_fresh_factor(request):
        messages.error(request, _("Confirm with your second factor first, then switch on again."))
        return redirect(f"{reverse('mfa_reauthenticate')}?next={reverse('trading')}")
    form = SwitchForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            for error in errors:
                messages.error(request, str(error))
        return redirect("trading")
    until = timezone.now() + timedelta(hours=float(form.cleaned_data["hours"]))
    try:
        switching.switch_on(account=account, actor=user, until=until, caps=form.caps())
    except TradingError as error:
        messages.error(request, error.detail)
    else:
        messages.success(
            request,
            _("Trading is on for %(account)s until %(until)s UTC.")
            % {"account": account.label, "until": f"{until:%F %R}"},
        )
    return redirect("trading")


def _page(request: HttpRequest, form: RulesForm, status: int = 200) -> HttpResponse:
    user = _user(request)
    breaks = breaks_of(user)
    intents = OrderIntent.objects.visible_to(user).select_related("account")
    traders = traders_of(user)
    shown: dict[str, Any] = {
        "traders": [(row, SwitchForm.of(row.caps)) for row in traders],
        "is_anyone_on": any(row.is_on for row in traders),
        "intents": list(intents[:SHOWN]),
        "naked": naked_of(user.pk),
        "day": day_so_far(user),
        "form": form,
        "breaks": breaks[:SHOWN],
        "by_rule": by_rule(breaks),
        "caps": TradingSwitch.CAPS,
    }
    return render(request, "trading/trading.html", shown, status=status)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
