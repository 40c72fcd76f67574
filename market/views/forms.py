"""Forms of the market's pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from market.models import Instrument


class ImportForm(forms.Form):
    """What to import from the exchange's archive."""

    symbol = forms.CharField(max_length=40, label=_("Symbol"))
    market = forms.ChoiceField(choices=Instrument.Market.choices, label=_("Market"))
    kind = forms.ChoiceField(
        choices=[("trades", "trades"), ("aggTrades", "aggTrades")], label=_("Kind")
    )
    first_day = forms.DateField(
        label=_("First day (UTC)"), widget=forms.DateInput(attrs={"type": "date"})
    )
    last_day = forms.DateField(
        label=_("Last day (UTC)"), widget=forms.DateInput(attrs={"type": "date"})
    )

    def clean_symbol(self) -> str:
        return str(self.cleaned_data["symbol"]).upper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first_day"), cleaned.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("Expected the first day or a later one."))
        if last and last > datetime.now(UTC).date() - timedelta(days=1):
            self.add_error(
                "last_day", _("Expected a day that is over: the archive comes next day.")
            )
        if cleaned.get("market") == "usdm" and cleaned.get("kind") == "trades":
            self.add_error("kind", _("Expected aggTrades on futures: its tape is made of them."))
        return cleaned
