from django.urls import path

from trading.views import pages

urlpatterns = [
    path("trading/", pages.trading, name="trading"),
    path("trading/rules/", pages.rules, name="trading-rules"),
    path("trading/<uuid:account_id>/switch/", pages.switch, name="trading-switch"),
]
