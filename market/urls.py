from django.urls import path

from market import views

urlpatterns = [
    path("", views.home, name="home"),
    path("status/", views.status, name="status"),
    path("market/<str:symbol>/", views.market, name="market"),
]
