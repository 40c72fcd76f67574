"""One form a kind of condition, made from the same table that the API reads."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ExchangeAccount, User
from alerts.conditions.fields import Field
from alerts.conditions.kinds import KINDS, SYSTEM_STATES, Kind, default_cooldown_s, fields_of
from alerts.models import Alert, Channel
from alerts.services.changing import UNITS
from journal.models import Setup
from journal.selectors.insight_words import band_name

LABELS = {
    "market": gettext_lazy("Market"),
    "symbol": gettext_lazy("Symbol"),
    "level": gettext_lazy("Price"),
    "direction": gettext_lazy("Direction"),
    "window_s": gettext_lazy("Within (seconds)"),
    "percent": gettext_lazy("Percent"),
    "above": gettext_lazy("At least"),
    "below": gettext_lazy("At most"),
    "unit": gettext_lazy("Unit"),
    "band": gettext_lazy("Size band"),
    "quantile": gettext_lazy("Quantile of its last 30 days"),
    "value": gettext_lazy("Order value, at least"),
    "side": gettext_lazy("Side of the taker"),
    "setup": gettext_lazy("Setup"),
    "account": gettext_lazy("Account"),
    "state": gettext_lazy("State"),
    "rule": gettext_lazy("Rule"),
    "losses": gettext_lazy("How many"),
    "hysteresis_pct": gettext_lazy("Armed again after going back by (percent)"),
}
KIND_LABELS = {
    "price_crosses": gettext_lazy("Price crosses a level"),
    "price_moves": gettext_lazy("Price moves"),
    "cvd_delta": gettext_lazy("Delta of a window"),
    "cvd_quantile": gettext_lazy("Unusual delta"),
    "divergence": gettext_lazy("Price against the flow"),
    "taker_order": gettext_lazy("Big taker order"),
    "setup": gettext_lazy("A setup appears"),
    "spread": gettext_lazy("Spread"),
    "funding": gettext_lazy("Funding rate"),
    "open_interest": gettext_lazy("Open interest"),
    "liquidations": gettext_lazy("Liquidations"),
    "fill": gettext_lazy("A fill"),
    "order": gettext_lazy("An order"),
    "trade_closed": gettext_lazy("A trade is closed"),
    "rule": gettext_lazy("A rule of mine is broken"),
    "losing_streak": gettext_lazy("Losses in a row"),
    "size_after_loss": gettext_lazy("Larger than usual after a loss"),
    "account": gettext_lazy("An account changes its state"),
    "pnl_day": gettext_lazy("Result of the day"),
    "pnl_open": gettext_lazy("Open result"),
    "liquidation_distance": gettext_lazy("Distance to liquidation"),
    "system": gettext_lazy("State of this installation"),
}
# (name, what a click begins with)
TEMPLATES = (
    (gettext_lazy("Price crosses a level"), "kind=price_crosses"),
    (gettext_lazy("1 % within 5 minutes"), "kind=price_moves&window_s=300&percent=1"),
    (
        gettext_lazy("Delta of an hour as only once in a hundred"),
        "kind=cvd_quantile&window_s=3600&quantile=0.99",
    ),
    (
        gettext_lazy("Half a percent against the flow in 15 minutes"),
        "kind=divergence&window_s=900&percent=0.5",
    ),
    (gettext_lazy("A taker order of 250,000 or more"), "kind=taker_order&value=250000"),
    (gettext_lazy("Every fill"), "kind=fill"),
    (gettext_lazy("Three losses in a row"), "kind=losing_streak&losses=3"),
    (gettext_lazy("Larger than usual after a loss"), "kind=size_after_loss"),
    (gettext_lazy("A rule or a limit of mine is broken"), "kind=rule"),
)
CHOICES = {
    "market": [("spot", gettext_lazy("Spot")), ("usdm", gettext_lazy("USD-M futures"))],
    "direction": [
        ("both", gettext_lazy("Both")),
        ("up", gettext_lazy("Up")),
        ("down", gettext_lazy("Down")),
    ],
    "side": [
        ("", gettext_lazy("Any")),
        ("BUY", gettext_lazy("Buy")),
        ("SELL", gettext_lazy("Sell")),
    ],
}


OF_TRADES = [("trade", gettext_lazy("By trade")), ("order", gettext_lazy("By order"))]
OF_RESULTS = {"money": gettext_lazy("Money"), "percent": "%"}


def units_of(kind: str) -> list[tuple[str, Any]]:
    return [(unit, OF_RESULTS[unit]) for unit in UNITS[kind]] if kind in UNITS else OF_TRADES


def words_of(kind: str, field: str, value: Any) -> str:
    """A field's value as its form offers it."""
    if field == "band":
        return band_name(str(value))
    choices = units_of(kind) if field == "unit" else CHOICES.get(field, [])
    return str(dict(choices).get(value, value))


def kinds_of(user: User) -> list[tuple[str, Any]]:
    """(name, label) of what a user may ask for."""
    return [
        (name, label) for name, label in KIND_LABELS.items() if name != "system" or user.is_staff
    ]


class AlertForm(forms.Form):
    """`said` is the body as the API takes it; whether it is right the service says."""

    name = forms.CharField(max_length=80, label=gettext_lazy("Name"))
    cooldown_s = forms.IntegerField(label=gettext_lazy("Quiet afterwards (seconds)"), min_value=0)
    once = forms.BooleanField(label=gettext_lazy("Only once"), required=False)
    channels = forms.MultipleChoiceField(
        label=gettext_lazy("Also tell"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, user: User, kind: Kind, *of: Any, **more: Any) -> None:
        super().__init__(*of, **more)
        self.user, self.kind = user, kind
        own = {f"c_{item.name}": self._field(item) for item in fields_of(kind)}
        channels = Channel.objects.visible_to(user)
        choices = [(str(channel.pk), channel.name) for channel in channels]
        rest = {**self.fields}
        rest["channels"].choices = choices  # type: ignore[attr-defined]
        self.fields = {"name": rest.pop("name"), **own, **rest}

    def said(self) -> dict[str, Any]:
        values = self.cleaned_data
        condition = {"kind": self.kind.name}
        for item in fields_of(self.kind):
            if values[f"c_{item.name}"] not in {None, ""}:
                condition[item.name] = values[f"c_{item.name}"]
        return {
            "name": values["name"],
            "condition": condition,
            "channels": values["channels"],
            "cooldown_s": values["cooldown_s"],
            "once": values["once"],
        }

    def refuse(self, field: str, message: str) -> None:
        """What the service said, at the field that it is about."""
        name = field.replace("condition.", "c_")
        self.add_error(name if name in self.fields else None, message)

    def _field(self, item: Field) -> forms.Field:
        choices = self._choices(item)
        options: dict[str, Any] = {
            "label": LABELS[item.name],
            "required": item.is_required,
            "initial": item.default,
        }
        if choices is not None:
            return forms.ChoiceField(choices=choices, **options)
        return forms.CharField(max_length=60, **options)

    def _choices(self, item: Field) -> list[tuple[Any, Any]] | None:
        if item.name == "account":
            mine = ExchangeAccount.objects.visible_to(self.user)
            return [("", _("All accounts")), *((str(row.pk), row.label) for row in mine)]
        if item.name == "setup":
            setups = Setup.objects.visible_to(self.user)
            return [(row.pk, row.name) for row in setups if row.conditions.get("least_share")]
        if item.name == "unit":
            return units_of(self.kind.name)
        if item.name == "state" and self.kind.name == "system":
            return [("", _("Any")), *((name, name) for name in SYSTEM_STATES)]
        return CHOICES.get(item.name)


def beginning(user: User, kind: Kind, given: dict[str, str]) -> dict[str, Any]:
    """What a new form shows: what the page that led here knows, the rest as it usually is."""
    shown: dict[str, Any] = {
        f"c_{item.name}": given[item.name] for item in fields_of(kind) if given.get(item.name)
    }
    if kind.is_of_market:
        shown.setdefault("c_market", "usdm" if kind.is_of_futures else "spot")
        shown.setdefault("c_symbol", next(iter(settings.MARKET_SYMBOLS), ""))
    symbol = shown.get("c_symbol", "")
    shown["name"] = given.get("name") or f"{KIND_LABELS[kind.name]} {symbol}".strip()[:80]
    shown["cooldown_s"] = default_cooldown_s(kind.name)
    return shown


def standing(alert: Alert) -> dict[str, Any]:
    """What the form of an alert shows."""
    condition = {f"c_{name}": value for name, value in alert.condition.items() if name != "kind"}
    return {
        **condition,
        "name": alert.name,
        "cooldown_s": alert.cooldown_s,
        "once": alert.once,
        "channels": [str(channel.pk) for channel in alert.channels.all()],
    }


class ChannelForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=[(kind.value, kind.label) for kind in Channel.Kind if kind != Channel.Kind.WEBPUSH],
    )
    name = forms.CharField(max_length=60, label=gettext_lazy("Name"))
    target = forms.CharField(
        max_length=2000,
        label=gettext_lazy("Where to"),
        help_text=gettext_lazy(
            "A webhook's https address, an e-mail address, for Telegram a bot's token, a space and "
            "the number of the chat."
        ),
    )


def kind_named(name: str) -> Kind:
    """The kind of that name, or the first one."""
    return KINDS.get(name, KINDS["price_crosses"])
