from django.urls import path

from accounts.views import exchange, privacy, security, tokens

urlpatterns = [
    path("account/exchange/", exchange.exchange_accounts, name="exchange-accounts"),
    path("account/currency/", exchange.report_currency, name="report-currency"),
    path("account/exchange/connect/", exchange.connect, name="exchange-connect"),
    path("account/exchange/files/", exchange.make_keyless, name="exchange-files"),
    path("account/exchange/<uuid:account_id>/", exchange.exchange_account, name="exchange-account"),
    path("account/exchange/<uuid:account_id>/change/", exchange.change, name="exchange-change"),
    path("account/tokens/", tokens.tokens, name="account-tokens"),
    path("account/tokens/<int:token_id>/revoke/", tokens.revoke, name="account-token-revoke"),
    path("account/security/", security.security, name="account-security"),
    path("account/security/networks/", security.networks, name="account-networks"),
    path("account/sessions/end/", security.end_other_sessions, name="account-sessions-end"),
    path(
        "account/sessions/<int:session_id>/end/", security.end_session, name="account-session-end"
    ),
    path("account/audit/", security.audit_trail, name="account-audit"),
    path("account/privacy/", privacy.privacy, name="account-privacy"),
    path("account/privacy/export/", privacy.export, name="account-export"),
    path("account/privacy/erase/", privacy.erase, name="account-erase"),
]
