"""Keep a market's tape from now on, or from a moment in the past."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from market.instruments import InstrumentKey
from market.services.following import follow, unfollow


class Command(BaseCommand):
    help = "Follow SYMBOL of a market; the collectors notice within seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("symbol")
        parser.add_argument("--market", choices=["spot", "usdm"], default="spot")
        parser.add_argument("--since", help="reach back to this moment (ISO 8601) by trade ids")
        parser.add_argument("--stop", action="store_true", help="stop following; data stay")

    def handle(self, *args: Any, **options: Any) -> None:
        key = InstrumentKey(settings.VENUE, options["market"], options["symbol"].upper())
        if options["stop"]:
            unfollow(key=key)
            self.stdout.write(f"{key} is no longer followed")
            return
        since = _moment(options["since"]) if options["since"] else None
        follow(key=key, since=since)
        self.stdout.write(f"{key} is followed" + (f" since {since:%F %T} UTC" if since else ""))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(
            f"--since: expected ISO 8601 like 2026-11-20T12:00, was {text}"
        ) from error
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    if moment > datetime.now(UTC):
        raise CommandError(f"--since: expected a moment in the past, was {text}")
    return moment
