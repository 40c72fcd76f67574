from django.apps import AppConfig

from market.live import private


class JournalConfig(AppConfig):
    name = "journal"

    def ready(self) -> None:
        private.register("account", "pnl")
