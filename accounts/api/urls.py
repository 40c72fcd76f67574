from django.urls import path

from accounts.api import privacy, views

urlpatterns = [
    path("me", privacy.MeView.as_view(), name="api-me"),
    path("me/export", privacy.ExportView.as_view(), name="api-export"),
    path("me/export/file", privacy.ExportFileView.as_view(), name="api-export-file"),
    path("accounts", views.AccountsView.as_view(), name="api-accounts"),
    path("accounts/<uuid:account_id>", views.AccountView.as_view(), name="api-account"),
    path("accounts/<uuid:account_id>/key", views.KeyView.as_view(), name="api-account-key"),
    path(
        "accounts/<uuid:account_id>/trading-key",
        views.TradingKeyView.as_view(),
        name="api-account-trading-key",
    ),
    path("accounts/<uuid:account_id>/check", views.CheckView.as_view(), name="api-account-check"),
]
