"""Pages of one's own exchange accounts."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import outgoing, tasks
from accounts.access import own_account
from accounts.forms import ConnectForm, KeyForm, LabelForm
from accounts.models import ExchangeAccount, TradingKey, User
from accounts.requests import SignedInRequest
from accounts.services import connecting, trading_keys
from accounts.step_up import is_fresh, step_up_required, to_confirmation
from accounts.templatetags.account_texts import refusal_text


@login_required
@never_cache
@require_GET
def exchange_accounts(request: SignedInRequest) -> HttpResponse:
    accounts = ExchangeAccount.objects.visible_to(request.user)
    template = "accounts/_list.html" if _is_part(request) else "accounts/list.html"
    return render(request, template, {"accounts": accounts, "currencies": User.Currency.choices})


@login_required
@require_POST
def report_currency(request: SignedInRequest) -> HttpResponse:
    wish = request.POST.get("currency")
    if wish not in User.Currency.values:
        return HttpResponseBadRequest(_("Expected one of the currencies of the list."))
    request.user.report_currency = wish
    request.user.save(update_fields=["report_currency"])
    return redirect("exchange-accounts")


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("api_key", "secret")
@step_up_required
def connect(request: SignedInRequest) -> HttpResponse:
    form = ConnectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        account = _connected(request, form)
        if account is not None:
            tasks.check_soon(account)
            return redirect("exchange-account", account.pk)
    context = {"form": form, "address": outgoing.address(), "is_loopback": outgoing.is_loopback()}
    return render(request, "accounts/connect.html", context)


def _connected(request: SignedInRequest, form: ConnectForm) -> ExchangeAccount | None:
    """None where the key is refused: then nothing of it was kept, and its field says why."""
    given = form.cleaned_data
    try:
        problem = connecting.try_key(api_key=given["api_key"], secret=given["secret"])
        if problem:
            form.add_error("secret" if problem == "signature" else "api_key", refusal_text(problem))
            return None
        return connecting.connect(user=request.user, **given)
    except connecting.CannotConnect as error:
        form.add_error("api_key", str(error))
        return None


@login_required
@require_POST
def make_keyless(request: SignedInRequest) -> HttpResponse:
    """An account from files only; its first file is asked for next."""
    form = LabelForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Expected a name of at most 60 characters."))
        return redirect("exchange-accounts")
    try:
        account = connecting.make_keyless(user=request.user, label=form.cleaned_data["label"])
    except connecting.CannotConnect as error:
        messages.error(request, str(error))
        return redirect("exchange-accounts")
    return redirect("account-import", account.pk)


@login_required
@never_cache
@require_GET
def exchange_account(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """The account, or its moving part alone."""
    account = own_account(request.user, account_id)
    tasks.check_shown(account)
    template = "accounts/_account.html" if _is_part(request) else "accounts/account.html"
    context = {
        "account": account,
        "form": KeyForm(),
        "orders_form": KeyForm(auto_id="orders_%s"),
        "trading_key": TradingKey.objects.filter(account=account).first(),
    }
    return render(request, template, context)


@login_required
@never_cache
@require_POST
@sensitive_post_parameters("api_key", "secret")
def change(request: SignedInRequest, account_id: UUID) -> HttpResponse:
    """`do` is rename, pause, resume, check, replace, trade (a key for orders), untrade, disconnect
    or delete."""
    account = own_account(request.user, account_id)
    wish = request.POST.get("do", "")
    if wish in {"replace", "trade", "untrade", "disconnect", "delete"} and not is_fresh(request):
        return to_confirmation(request)
    mine: Any = {"account": account, "user": request.user}
    if wish == "rename":
        label = LabelForm(request.POST)
        if label.is_valid():
            connecting.rename(**mine, label=label.cleaned_data["label"])
        else:
            messages.error(request, _("Expected a name of at most 60 characters."))
    elif wish in {"pause", "resume"}:
        connecting.pause(**mine, paused=wish == "pause")
    elif wish in {"replace", "trade"}:
        form = KeyForm(request.POST)
        put = connecting.replace_key if wish == "replace" else trading_keys.put
        try:
            if not form.is_valid():
                raise connecting.CannotConnect(_("Expected an API key and its secret."))
            put(**mine, **form.cleaned_data)
        except connecting.CannotConnect as error:
            messages.error(request, str(error))
        else:
            if wish == "trade":
                messages.success(request, _("Orders go with this key now. Trading is off."))
    elif wish == "untrade":
        trading_keys.remove(**mine)
        messages.success(request, _("The key for orders is forgotten. Trading is off."))
    elif wish in {"disconnect", "delete"}:
        connecting.disconnect(**mine, with_data=wish == "delete")
        if wish == "delete":
            tasks.remove_soon(str(account.pk))
        messages.success(request, _("The account is disconnected, its key is forgotten."))
        return redirect("exchange-accounts")
    elif wish != "check":
        return HttpResponseBadRequest(_("Expected something to do with the account."))
    if wish in {"resume", "replace", "check"}:
        tasks.check_soon(account)
    return redirect("exchange-account", account.pk)


def _is_part(request: SignedInRequest) -> bool:
    return request.headers.get("X-Part") == "refresh"
