from django.urls import path

from market.api.boards import BookView, FundingView, MarkPriceView, TickerView
from market.api.studies import IndicatorsView, InstrumentsView, MarketsView, MarksView, ProfileView
from market.api.views import BigOrdersView, RangeView, RealtimeView

urlpatterns = [
    path("book", BookView.as_view(), name="book"),
    path("ticker", TickerView.as_view(), name="ticker"),
    path("funding", FundingView.as_view(), name="funding"),
    path("mark-price", MarkPriceView.as_view(), name="mark-price"),
    path("cvd/realtime", RealtimeView.as_view(), name="cvd-realtime"),
    path("cvd/range", RangeView.as_view(), name="cvd-range"),
    path("cvd/historical", RangeView.as_view(), name="cvd-historical"),
    path("cvd/big-orders", BigOrdersView.as_view(), name="cvd-big-orders"),
    path("markets", MarketsView.as_view(), name="api-markets"),
    path("instruments", InstrumentsView.as_view(), name="instruments"),
    path("indicators", IndicatorsView.as_view(), name="indicators"),
    path("profile", ProfileView.as_view(), name="profile"),
    path("marks", MarksView.as_view(), name="marks"),
]
