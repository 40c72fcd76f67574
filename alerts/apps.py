from django.apps import AppConfig

from market.live import private


class AlertsConfig(AppConfig):
    name = "alerts"

    def ready(self) -> None:
        private.register("alerts")
