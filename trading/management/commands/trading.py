"""Switching accounts on and off from the shell."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import ExchangeAccount, User
from trading.errors import TradingError
from trading.models import TradingSwitch
from trading.services import stopping, switching


class Command(BaseCommand):
    help = "Switch trading on (simulator and testnet only) or off, or show how it stands."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["on", "off", "show"])
        parser.add_argument("username", nargs="?", help="off without one: everybody")
        parser.add_argument("--account", default="", help="label or id; all of the user's without")
        parser.add_argument("--hours", type=float, default=1.0, help="on for so long (1)")
        parser.add_argument(
            "--cap",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help=f"one of {', '.join(TradingSwitch.CAPS)}; symbols with commas between them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        action, username = options["action"], options["username"]
        if action == "on" and settings.BINANCE not in {"simulator", "testnet"}:
            raise CommandError(
                "Expected BINANCE to be simulator or testnet: with real money an owner switches "
                "trading on, on the page and with a second factor."
            )
        if username is None and action != "off":
            raise CommandError(f"Expected a username: trading {action} USERNAME.")
        accounts = self._accounts(username, options["account"])
        for account in accounts:
            getattr(self, f"_{action}")(account, options)
        if not accounts:
            self.stdout.write("No exchange account with a key.")

    def _accounts(self, username: str | None, name: str) -> list[ExchangeAccount]:
        rows = ExchangeAccount.objects.here().select_related("user").exclude(api_key=b"")
        if username is not None:
            user = User.objects.filter(username=username).first()
            if user is None:
                raise CommandError(f"Expected a username, was {username!r}.")
            rows = rows.filter(user=user)
        accounts = [row for row in rows if name in {"", row.label, str(row.pk)}]
        if name and not accounts:
            raise CommandError(f"Expected the label or id of an account, was {name!r}.")
        return accounts

    def _on(self, account: ExchangeAccount, options: dict[str, Any]) -> None:
        hours = options["hours"]
        if not 0 < hours <= switching.LONGEST.total_seconds() / 3600:
            raise CommandError(f"Expected hours up to {switching.LONGEST.days * 24}, was {hours}.")
        until = timezone.now() + timedelta(hours=hours)
        try:
            switch = switching.switch_on(
                account=account, actor=account.user, until=until, caps=_caps(options["cap"])
            )
        except TradingError as error:
            raise CommandError(f"{account.label}: {error.detail}") from error
        self._say(account, switch)

    def _off(self, account: ExchangeAccount, options: dict[str, Any]) -> None:
        done = stopping.stop(account=account, actor=None, why="operator", flatten=False)
        self.stdout.write(
            f"{account.user.get_username()} {account.label}: off, {len(done['cancelled'])} orders "
            f"cancelled, {len(done['failed'])} not"
        )
        for row in done["failed"]:
            self.stdout.write(f"  not cancelled: {row}")

    def _show(self, account: ExchangeAccount, options: dict[str, Any]) -> None:
        self._say(account, TradingSwitch.objects.filter(account=account).first())

    def _say(self, account: ExchangeAccount, switch: TradingSwitch | None) -> None:
        head = f"{account.user.get_username()} {account.label} {account.pk}:"
        if switch is None or not switching.is_on(account):
            why = f" ({switch.ended_by})" if switch is not None and switch.ended_by else ""
            self.stdout.write(f"{head} off{why}")
            return
        caps = ", ".join(f"{name}={value}" for name, value in switch.caps.items()) or "no caps"
        self.stdout.write(f"{head} on until {switch.until:%F %T} UTC, {caps}")


def _caps(words: list[str]) -> dict[str, Any]:
    caps: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not value:
            raise CommandError(f"Expected --cap NAME=VALUE, was {word!r}.")
        caps[name] = value
    return caps
