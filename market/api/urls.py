from django.urls import path

from market.api.studies import IndicatorsView, InstrumentsView, MarksView, ProfileView
from market.api.views import BigOrdersView, RangeView, RealtimeView

urlpatterns = [
    path("cvd/realtime", RealtimeView.as_view(), name="cvd-realtime"),
    path("cvd/range", RangeView.as_view(), name="cvd-range"),
    path("cvd/historical", RangeView.as_view(), name="cvd-historical"),
    path("cvd/big-orders", BigOrdersView.as_view(), name="cvd-big-orders"),
    path("instruments", InstrumentsView.as_view(), name="instruments"),
    path("indicators", IndicatorsView.as_view(), name="indicators"),
    path("profile", ProfileView.as_view(), name="profile"),
    path("marks", MarksView.as_view(), name="marks"),
]
