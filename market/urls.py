from django.urls import path

from market.views import pages as views
from market.views import staff

urlpatterns = [
    path("markets/", views.home, name="markets"),
    path("status/", views.status, name="status"),
    path("staff/imports/", staff.imports, name="imports"),
    path("staff/imports/<int:job_id>/", staff.change_import, name="import-change"),
    path("market/usdm/<str:symbol>/", views.future, name="future"),
    path("market/<str:symbol>/", views.market, name="market"),
]
