import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Print the settings that the launcher needs, as JSON."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        values = {
            "host": settings.HOST,
            "port": settings.PORT,
            "web_processes": settings.WEB_PROCESSES,
            "binance": settings.BINANCE,
            "simulator_port": settings.SIMULATOR_PORT,
            "symbols": ",".join(settings.MARKET_SYMBOLS),
            "data_dir": str(settings.DATA_DIR),
        }
        self.stdout.write(json.dumps(values))
