from django.urls import path

from accounts import views

urlpatterns = [
    path("account/tokens/", views.tokens, name="account-tokens"),
    path("account/tokens/<int:token_id>/revoke/", views.revoke, name="account-token-revoke"),
]
