"""Forms of one's own exchange accounts; a key that was typed is never shown again."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.scopes import Scope
from accounts.services.signatures import parse_key
from lib.networks import parse_networks
from lib.secret import Secret

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class UnshownInput(forms.TextInput):
    def format_value(self, value: Any) -> None:
        return None


class UnshownText(forms.Textarea):
    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


class KeyForm(forms.Form):
    """An API key and its secret, or private key; both come out as Secret."""

    api_key = forms.CharField(max_length=200, label=_("API key"), widget=UnshownInput(attrs=PLAIN))
    secret = forms.CharField(
        max_length=8000,
        label=_("Secret key, or private key (PEM)"),
        widget=UnshownText(attrs={**PLAIN, "rows": "4"}),
        strip=True,
    )

    def clean_api_key(self) -> Secret:
        return Secret(self.cleaned_data["api_key"])

    def clean_secret(self) -> Secret:
        return Secret(self.cleaned_data["secret"])


class LabelForm(forms.Form):
    label = forms.CharField(max_length=60)


class ConnectForm(KeyForm):
    label = forms.CharField(max_length=60, label=_("Name, as you will see it"))
    field_order = ("label", "api_key", "secret")


class NetworksField(forms.CharField):
    """Networks, separated by commas or spaces; none is anywhere. Comes out as a list of texts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            required=False,
            max_length=600,
            label=_("Networks it may come from"),
            help_text=_("Such as 192.0.2.0/24, separated by commas; empty: from anywhere."),
            **options,
        )

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value) or ""
        try:
            return [str(network) for network in parse_networks(text.replace(",", " ").split())]
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class TokenForm(forms.Form):
    name = forms.CharField(
        max_length=60, label=_("Name, for you to know what it is for"), required=False
    )
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=[Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        label=_("What it may do"),
    )
    days = forms.IntegerField(min_value=1, max_value=366, initial=90, label=_("Days until it ends"))
    networks = NetworksField()
    signing = forms.ChoiceField(
        choices=[
            ("", _("Not signed")),
            ("hmac", _("Signed with a secret that is shown once (HMAC-SHA256)")),
            ("ed25519", _("Signed with a key of your own (Ed25519)")),
        ],
        required=False,
        label=_("Requests are"),
        help_text=_("Orders need a token whose requests are signed."),
    )
    public_key = forms.CharField(
        max_length=100,
        required=False,
        label=_("Public key"),
        help_text=_("For Ed25519: its 32 bytes in base64."),
        widget=forms.TextInput(attrs=PLAIN),
    )

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("signing") != "ed25519":
            return values
        try:
            values["public_key"] = parse_key("ed25519", values.get("public_key", ""))
        except ValueError as error:
            self.add_error("public_key", str(error))
        return values


class NetworksForm(forms.Form):
    networks = NetworksField()
