from django.urls import path

from journal.views import history, pages, settings, trades

urlpatterns = [
    path("", pages.home, name="home"),
    path("trades/", trades.trade_list, name="trades"),
    path("trades/bulk/", trades.bulk, name="trades-bulk"),
    path("trades/views/", trades.save_view, name="save-view"),
    path("trades/review/", trades.review, name="review"),
    path("trades/<int:trade_id>/", trades.trade, name="trade"),
    path("trades/<int:trade_id>/note/", trades.annotate, name="trade-note"),
    path("trades/<int:trade_id>/candles/", trades.trade_candles, name="trade-candles"),
    path("trades/<int:trade_id>/replay/", trades.replay, name="trade-replay"),
    path("trades/<int:trade_id>/pictures/", trades.add_picture, name="trade-picture"),
    path("pictures/<uuid:picture_id>/", trades.picture, name="picture"),
    path("pictures/<uuid:picture_id>/remove/", trades.remove_picture, name="picture-remove"),
    path("calendar/", pages.calendar, name="calendar"),
    path("calendar/<str:day>/", trades.day_note, name="day-note"),
    path("reports/", pages.report, name="reports"),
    path("reports/compare/", pages.compare, name="compare"),
    path("reports/setups/", pages.setups, name="setups"),
    path("reports/execution/", pages.execution, name="execution"),
    path("reports/realized/", pages.realized, name="realized"),
    path("portfolio/", pages.portfolio, name="portfolio"),
    path("settings/", settings.preferences, name="preferences"),
    path("settings/display/", settings.display, name="display"),
    path("settings/change/", settings.change, name="settings-change"),
    path("demo/", history.demo_data, name="demo"),
    path("account/exchange/<uuid:account_id>/history/", history.history, name="account-history"),
    path("account/exchange/<uuid:account_id>/history/ask/", history.ask, name="history-ask"),
    path("account/exchange/<uuid:account_id>/import/", history.import_file, name="account-import"),
    path("account/exchange/<uuid:account_id>/manual/", history.add_manual, name="manual-add"),
    path(
        "account/exchange/<uuid:account_id>/manual/<int:fill_id>/",
        history.remove_manual,
        name="manual-remove",
    ),
]
