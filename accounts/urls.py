from django.urls import path

from accounts import views

urlpatterns = [
    path("account/exchange/", views.exchange_accounts, name="exchange-accounts"),
    path("account/currency/", views.report_currency, name="report-currency"),
    path("account/exchange/connect/", views.connect, name="exchange-connect"),
    path("account/exchange/files/", views.make_keyless, name="exchange-files"),
    path("account/exchange/<uuid:account_id>/", views.exchange_account, name="exchange-account"),
    path("account/exchange/<uuid:account_id>/change/", views.change, name="exchange-change"),
    path("account/tokens/", views.tokens, name="account-tokens"),
    path("account/tokens/<int:token_id>/revoke/", views.revoke, name="account-token-revoke"),
]
