from django.urls import path

from trading.api import brackets, orders, rules, switch

urlpatterns = [
    path("orders", orders.OrdersView.as_view(), name="api-orders"),
    path("orders/preview", orders.PreviewView.as_view(), name="api-order-preview"),
    path("orders/intents", orders.IntentsView.as_view(), name="api-intents"),
    path("orders/intents/<uuid:intent_id>", orders.IntentView.as_view(), name="api-intent"),
    path("orders/exchange", orders.ElsewhereView.as_view(), name="api-order-elsewhere"),
    path("orders/<uuid:intent_id>", orders.OrderView.as_view(), name="api-order"),
    path("orders/<uuid:intent_id>/protect", orders.ProtectView.as_view(), name="api-protect"),
    path("trading/stop", switch.StopView.as_view(), name="api-trading-stop"),
    path("trading/close", switch.CloseView.as_view(), name="api-trading-close"),
    path("trading/<uuid:account_id>", switch.SwitchView.as_view(), name="api-trading"),
    path("brackets", brackets.BracketsView.as_view(), name="api-brackets"),
    path("rules", rules.RulesView.as_view(), name="api-rules"),
]
