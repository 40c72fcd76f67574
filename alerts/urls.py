from django.urls import path

from alerts.views import pages

urlpatterns = [
    path("alerts/", pages.alert_list, name="alerts"),
    path("alerts/new/", pages.new_alert, name="alert-new"),
    path("alerts/events/", pages.event_list, name="alert-events"),
    path("alerts/channels/", pages.channel_list, name="alert-channels"),
    path("alerts/channels/<uuid:channel_id>/", pages.channel_change, name="channel-change"),
    path("alerts/<int:alert_id>/", pages.alert, name="alert"),
    path("alerts/<int:alert_id>/change/", pages.alert_change, name="alert-change"),
]
