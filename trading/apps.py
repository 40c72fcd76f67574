from django.apps import AppConfig

from market.live import private


class TradingConfig(AppConfig):
    name = "trading"

    def ready(self) -> None:
        private.register("intents")
