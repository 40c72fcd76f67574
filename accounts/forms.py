"""Forms of one's own exchange accounts; a key that was typed is never shown again."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

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
