from django.urls import path

from journal.api import exchange, flow, insight, proof, taxes, trades, watchlists

urlpatterns = [
    path("fills", exchange.FillsView.as_view(), name="api-fills"),
    path(
        "orders/conditional",
        exchange.ConditionalOrdersView.as_view(),
        name="api-conditional-orders",
    ),
    path("transfers", exchange.TransfersView.as_view(), name="api-transfers"),
    path(
        "transfers/<int:transfer_id>/cost",
        taxes.StatedCostView.as_view(),
        name="api-transfer-cost",
    ),
    path("income", exchange.IncomeView.as_view(), name="api-income"),
    path("balances", exchange.BalancesView.as_view(), name="api-balances"),
    path("balances/daily", exchange.DailyBalancesView.as_view(), name="api-daily-balances"),
    path("positions", exchange.PositionsView.as_view(), name="api-positions"),
    path("coverage", exchange.CoverageView.as_view(), name="api-coverage"),
    path("sync", exchange.SyncsView.as_view(), name="api-sync"),
    path("reconciliation", exchange.ReconciliationView.as_view(), name="api-reconciliation"),
    path("trades", trades.TradesView.as_view(), name="api-trades"),
    path("trades/summary", trades.SummaryView.as_view(), name="api-summary"),
    path("trades/merge", trades.MergeView.as_view(), name="api-merge"),
    path("trades/<int:trade_id>/split", trades.SplitView.as_view(), name="api-split"),
    path("trades/<int:trade_id>/aside", proof.AsideView.as_view(), name="api-aside"),
    path("flow/coverage", flow.FlowCoverageView.as_view(), name="api-flow-coverage"),
    path("proof", proof.ProofView.as_view(), name="api-proof"),
    path("payments", proof.PaymentsView.as_view(), name="api-payments"),
    path("trades/<int:trade_id>", trades.TradeView.as_view(), name="api-trade"),
    path("realized", trades.RealizedView.as_view(), name="api-realized"),
    path("dashboard", trades.DashboardView.as_view(), name="api-dashboard"),
    path("calendar", trades.CalendarView.as_view(), name="api-calendar"),
    path("reports", trades.ReportView.as_view(), name="api-reports"),
    path("insight", insight.InsightView.as_view(), name="api-insight"),
    path("insight/<slug:name>", insight.InsightPartView.as_view(), name="api-insight-part"),
    path("watchlists", watchlists.WatchlistsView.as_view(), name="api-watchlists"),
    path("watchlists/<int:watchlist_id>", watchlists.WatchlistView.as_view(), name="api-watchlist"),
    path("market-view", watchlists.MarketViewView.as_view(), name="api-market-view"),
    path("setups", trades.SetupsView.as_view(), name="api-setups"),
]
