from django.contrib import admin

from alerts.models import Alert, AlertEvent, Channel, Delivery


@admin.register(Alert)
class AlertAdmin(admin.ModelAdmin):
    list_display = ("name", "user", "kind", "symbol", "is_paused", "firings", "last_fired_at")
    list_filter = ("kind", "is_paused")
    search_fields = ("name", "symbol", "user__username")
    readonly_fields = ("state", "version", "firings", "last_fired_at", "since")
    raw_id_fields = ("user", "channels")


@admin.register(AlertEvent)
class AlertEventAdmin(admin.ModelAdmin):
    list_display = ("name", "user", "kind", "at", "value", "text")
    list_filter = ("kind",)
    raw_id_fields = ("user", "alert")


@admin.register(Channel)
class ChannelAdmin(admin.ModelAdmin):
    """Without what is sealed."""

    list_display = ("name", "user", "kind", "state", "shown", "problem")
    list_filter = ("kind", "state")
    raw_id_fields = ("user",)


@admin.register(Delivery)
class DeliveryAdmin(admin.ModelAdmin):
    list_display = ("event", "channel", "state", "tries", "due_at", "problem")
    list_filter = ("state",)
    list_select_related = ("event", "channel")
    raw_id_fields = ("event", "channel")
