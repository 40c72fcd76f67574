"""Who may touch which alert and channel: the one way to get at them."""

from uuid import UUID

from django.shortcuts import get_object_or_404

from accounts.models import User
from alerts.models import Alert, Channel


def own_alert(user: User, alert_id: int) -> Alert:
    """Raises Http404 for anything that is not this user's."""
    alert: Alert = get_object_or_404(
        Alert.objects.visible_to(user).prefetch_related("channels"), pk=alert_id
    )
    return alert


def own_channel(user: User, channel_id: UUID) -> Channel:
    """Raises Http404 for anything that is not this user's."""
    channel: Channel = get_object_or_404(Channel.objects.visible_to(user), pk=channel_id)
    return channel
