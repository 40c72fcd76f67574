"""The forms of the page of trading."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from trading.models import Rule

CLOCK = r"([01]\d|2[0-3]):[0-5]\d"


class SwitchForm(forms.Form):
    hours = forms.DecimalField(label=_("Hours"), min_value=0, max_value=720, initial=1)
    order = forms.DecimalField(label=_("Largest order"), min_value=0, required=False)
    risk = forms.DecimalField(label=_("Largest risk of a trade"), min_value=0, required=False)
    day_loss = forms.DecimalField(label=_("Loss of a day"), min_value=0, required=False)
    orders = forms.IntegerField(label=_("Open orders"), min_value=0, required=False)
    distance = forms.DecimalField(
        label=_("Distance from the mark in %"), min_value=0, required=False
    )
    symbols = forms.CharField(label=_("Symbols"), max_length=2000, required=False)

    @classmethod
    def of(cls, caps: Mapping[str, Any]) -> "SwitchForm":
        shown = {**caps, "symbols": ", ".join(caps.get("symbols") or [])}
        return cls(initial={"hours": 1, **shown})

    def clean_hours(self) -> Any:
        hours = self.cleaned_data["hours"]
        if hours <= 0:
            raise forms.ValidationError(_("Expected more than no hours."))
        return hours

    def caps(self) -> dict[str, Any]:
        given = {name: value for name, value in self.cleaned_data.items() if name != "hours"}
        return {
            name: str(value) if name != "orders" else value
            for name, value in given.items()
            if value not in {None, ""}
        }


class RulesForm(forms.Form):
    """An empty field is no rule; each has its own mode."""

    day_loss = forms.DecimalField(label=_("Most loss of a day"), min_value=0, required=False)
    day_trades = forms.IntegerField(label=_("Most trades of a day"), min_value=1, required=False)
    losses = forms.IntegerField(label=_("Losses in a row"), min_value=1, required=False)
    minutes = forms.IntegerField(label=_("then pause for minutes"), min_value=1, required=False)
    hours_from = forms.RegexField(CLOCK, label=_("No trading from"), required=False)
    hours_to = forms.RegexField(CLOCK, label=_("to"), required=False)
    factor = forms.DecimalField(
        label=_("Size after a loss, in mean sizes"), min_value=0, required=False
    )
    stop = forms.BooleanField(label=_("No entry without a stop"), required=False)
    allowed = forms.CharField(label=_("Only these setups"), max_length=2000, required=False)
    blocks = forms.MultipleChoiceField(
        label=_("Block the order (the others warn)"),
        choices=Rule.Name.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "RulesForm":
        initial: dict[str, Any] = {"blocks": []}
        for rule in rules:
            value = rule.value
            initial |= {
                "day_loss": {"day_loss": value.get("money")},
                "day_trades": {"day_trades": value.get("count")},
                "pause": {"losses": value.get("losses"), "minutes": value.get("minutes")},
                "hours": {"hours_from": value.get("from"), "hours_to": value.get("to")},
                "tilt": {"factor": value.get("factor")},
                "stop": {"stop": True},
                "setups": {"allowed": ", ".join(value.get("allowed", []))},
            }[rule.name]
            if rule.mode == Rule.Mode.BLOCK:
                initial["blocks"].append(rule.name)
        return cls(initial=initial)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        for first, second in (("losses", "minutes"), ("hours_from", "hours_to")):
            if bool(data.get(first)) != bool(data.get(second)):
                self.add_error(first, _("Expected both of the two fields, or none."))
        return data

    def rows(self) -> list[dict[str, Any]]:
        """As `put_rules` takes them."""
        data = self.cleaned_data
        values: dict[str, dict[str, Any] | None] = {
            "day_loss": {"money": str(data["day_loss"])} if data["day_loss"] else None,
            "day_trades": {"count": data["day_trades"]} if data["day_trades"] else None,
            "pause": {"losses": data["losses"], "minutes": data["minutes"]}
            if data["losses"]
            else None,
            "hours": {"from": data["hours_from"], "to": data["hours_to"]}
            if data["hours_from"]
            else None,
            "tilt": {"factor": str(data["factor"])} if data["factor"] else None,
            "stop": {} if data["stop"] else None,
            "setups": {"allowed": _words(data["allowed"])} if _words(data["allowed"]) else None,
        }
        return [
            {
                "name": name,
                "value": value,
                "mode": Rule.Mode.BLOCK if name in data["blocks"] else Rule.Mode.WARN,
            }
            for name, value in values.items()
            if value is not None
        ]


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
