from importlib import import_module

from django.apps import AppConfig

from market.live import private


class TradingConfig(AppConfig):
    name = "trading"

    def ready(self) -> None:
        private.register("intents")
        import_module("trading.receivers")
