"""How allauth does what it does here: who may sign up, whose address counts, what is told."""

from types import SimpleNamespace
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts import sign_up
from accounts.models import User
from accounts.services import sign_ins
from accounts.vault import keyring
from accounts.vault.holdings import FACTOR, factor_text, sealed_factor
from lib.envelope import key_id_of
from lib.secret import Secret

HOME = SimpleNamespace(name="Tapelog", domain=settings.PUBLIC_URL.partition("://")[2])


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return sign_up.may_sign_up(request)

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        saved: User = super().save_user(request, user, form, commit)
        if commit and not sign_up.use_invitation(request, saved):
            saved.delete()
            raise ValidationError(_("This invitation was used already."))
        return saved

    def get_client_ip(self, request: HttpRequest) -> str:
        """Already believed through TRUSTED_PROXIES; a Unix socket's peer is this machine."""
        return request.META.get("REMOTE_ADDR") or "127.0.0.1"

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        is_new = sign_ins.note_sign_in(user, request)
        answer: HttpResponse = super().post_login(request, user, **kwargs)
        if is_new:
            self.send_notification_mail("account/email/new_sign_in", user)
        return answer

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Signed by us, whatever the request's Host said."""
        super().send_mail(template_prefix, email, {"current_site": HOME, **context})

    def get_reset_password_from_key_url(self, key: str) -> str:
        return _at_home(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return _at_home(super().get_email_confirmation_url(request, emailconfirmation))

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By who is meant, whether by name or by mail, and by who asks: a stranger's wrong
        passwords make only the stranger wait."""
        name = credentials.get("email") or credentials.get("username") or ""
        meant = User.objects.filter(Q(username__iexact=name) | Q(email__iexact=name))
        user_id = meant.values_list("pk", flat=True).first()
        return f"{user_id or name.lower()}:{self.get_client_ip(request)}"


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of second factors are sealed by the vault."""

    def encrypt(self, text: str) -> str:
        sealed = keyring.seal(Secret(text), FACTOR)
        return factor_text(sealed, key_id_of(sealed))

    def decrypt(self, encrypted_text: str) -> str:
        return keyring.unseal(sealed_factor(encrypted_text), FACTOR).reveal().decode()


def _at_home(url: str) -> str:
    """A link of ours begins with our own address, whatever the request's Host said."""
    path = "/" + url.split("://", 1)[-1].partition("/")[2]
    return f"{settings.PUBLIC_URL}{path}"
