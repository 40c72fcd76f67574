"""One's own API tokens: made, shown once, and revoked."""

import base64

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import TokenForm
from accounts.requests import SignedInRequest
from accounts.services import signatures
from accounts.services.tokens import Binding, CannotIssue, issue_token, revoke_token
from accounts.step_up import step_up_required
from accounts.vault.keyfiles import KeyProblem
from lib.secret import Secret


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
@step_up_required
def tokens(request: SignedInRequest) -> HttpResponse:
    """Own tokens; POST makes one and shows it, and its new key, this once."""
    form = TokenForm(request.POST or None)
    shown: dict[str, str] = {}
    if request.method == "POST" and form.is_valid():
        try:
            shown = _issue(request, form)
            form = TokenForm()
        except CannotIssue as error:
            form.add_error(None, str(error))
        except KeyProblem:
            form.add_error(None, _("The server cannot seal keys: its operator has to look."))
    context = {"tokens": request.user.api_tokens.all(), "form": form, **shown}
    return render(request, "accounts/tokens.html", context)


@login_required
@require_POST
def revoke(request: SignedInRequest, token_id: int) -> HttpResponse:
    if not revoke_token(user=request.user, token_id=token_id):
        raise Http404
    messages.success(request, _("The token is revoked."))
    return redirect("account-tokens")


def _issue(request: SignedInRequest, form: TokenForm) -> dict[str, str]:
    """Raises CannotIssue, KeyProblem."""
    values = form.cleaned_data
    shown: dict[str, str] = {}
    binding = None
    if values["signing"] == "hmac":
        key = signatures.new_key()
        binding = Binding("hmac", Secret(key))
        shown["new_key"] = base64.b64encode(key).decode()
    elif values["signing"] == "ed25519":
        binding = Binding("ed25519", Secret(values["public_key"]))
    shown["new_token"] = issue_token(
        user=request.user,
        name=values["name"],
        scopes=values["scopes"],
        days=values["days"],
        networks=values["networks"],
        binding=binding,
    )
    return shown
