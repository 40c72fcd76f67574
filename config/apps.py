from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from config import giving_way


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        connection_created.connect(giving_way.follow)
        figures = import_module("market.selectors.figures")
        business = import_module("config.business")
        figures.register(business.people)
        figures.register(business.cost)
        breaks = import_module("journal.insight.breaks")
        rules = import_module("trading.selectors.insight")
        breaks.register(rules.rule_breaks, rules.rule_name)
