from importlib import import_module

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        figures = import_module("market.selectors.figures")
        business = import_module("config.business")
        figures.register(business.people)
        figures.register(business.cost)
        breaks = import_module("journal.insight.breaks")
        rules = import_module("trading.selectors.insight")
        breaks.register(rules.rule_breaks, rules.rule_name)
