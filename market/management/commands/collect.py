"""Collect in the foreground, without Celery: for one machine alone, and for the chaos campaign."""

import signal
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from market.collector.running import collect_share, market_of
from market.jobs.shutdown import shutdown
from market.services.following import find_followed, follow_first_symbols

PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Collect a share whenever nobody else does, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--share",
            default=f"{settings.VENUE}:spot:all",
            help="name of the lease, venue:market:any word; another name races with it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: shutdown.set())
        share = options["share"]
        market = market_of(share)
        while not shutdown.is_set():
            try:
                close_old_connections()
                follow_first_symbols()
                collect_share(share, lambda having: find_followed(market))
            except DatabaseError as error:
                self.stderr.write(f"PostgreSQL does not answer: {error}")
            time.sleep(PAUSE_SECONDS)
