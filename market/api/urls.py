from django.urls import path

from market.api.views import BigOrdersView, RangeView, RealtimeView

urlpatterns = [
    path("cvd/realtime", RealtimeView.as_view(), name="cvd-realtime"),
    path("cvd/range", RangeView.as_view(), name="cvd-range"),
    path("cvd/historical", RangeView.as_view(), name="cvd-historical"),
    path("cvd/big-orders", BigOrdersView.as_view(), name="cvd-big-orders"),
]
