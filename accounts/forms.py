"""Forms of one's own exchange accounts; a key that was typed is never shown again."""

from django import forms
from django.utils.translation import gettext_lazy as _

PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class KeyForm(forms.Form):
    """An API key and its secret, or private key."""

    api_key = forms.CharField(
        max_length=200, label=_("API key"), widget=forms.TextInput(attrs=PLAIN)
    )
    secret = forms.CharField(
        max_length=8000,
        label=_("Secret key, or private key (PEM)"),
        widget=forms.Textarea(attrs={**PLAIN, "rows": "4"}),
        strip=True,
    )


class ConnectForm(KeyForm):
    label = forms.CharField(max_length=60, label=_("Name, as you will see it"))
    field_order = ("label", "api_key", "secret")
