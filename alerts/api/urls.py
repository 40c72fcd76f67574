from django.urls import path

from alerts.api import alerts, channels, events

urlpatterns = [
    path("alerts", alerts.AlertsView.as_view(), name="api-alerts"),
    path("alerts/preview", alerts.PreviewView.as_view(), name="api-alert-preview"),
    path("alerts/events", events.EventsView.as_view(), name="api-alert-events"),
    path("alerts/events/read", events.EventsReadView.as_view(), name="api-alert-events-read"),
    path("alerts/<int:alert_id>", alerts.AlertView.as_view(), name="api-alert"),
    path("alerts/<int:alert_id>/test", alerts.AlertTestView.as_view(), name="api-alert-test"),
    path("channels", channels.ChannelsView.as_view(), name="api-channels"),
    path("channels/<uuid:channel_id>", channels.ChannelView.as_view(), name="api-channel"),
    path(
        "channels/<uuid:channel_id>/prove", channels.ProveView.as_view(), name="api-channel-prove"
    ),
]
