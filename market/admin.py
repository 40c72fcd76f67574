from typing import Any

from django.contrib import admin
from django.utils import timezone

from market.models import (
    ArchiveFile,
    BackupRun,
    CollectorLease,
    CollectorWorker,
    ExchangeBan,
    Gap,
    ImportJob,
    Instrument,
    MinuteAudit,
    Retention,
    TapeState,
    Trouble,
)


@admin.register(Instrument)
class InstrumentAdmin(admin.ModelAdmin):
    list_display = ("symbol", "market", "venue", "is_followed", "band_set")
    list_filter = ("venue", "market", "is_followed")
    search_fields = ("symbol",)
    exclude = ("is_pinned", "pinned_at")

    def save_model(self, request: Any, obj: Instrument, form: Any, change: bool) -> None:  # noqa: FBT001
        """What is followed by hand stays followed, whatever is on watch-lists."""
        obj.is_pinned = obj.is_followed
        obj.pinned_at = obj.pinned_at or timezone.now()
        super().save_model(request, obj, form, change)


@admin.register(Gap)
class GapAdmin(admin.ModelAdmin):
    list_display = ("instrument", "first_id", "last_id", "state", "cause", "created_at")
    list_filter = ("state", "instrument")
    list_select_related = ("instrument",)


@admin.register(TapeState)
class TapeStateAdmin(admin.ModelAdmin):
    list_display = ("instrument", "last_id", "revision", "updated_at")
    list_select_related = ("instrument",)


@admin.register(CollectorLease)
class CollectorLeaseAdmin(admin.ModelAdmin):
    list_display = ("share", "holder", "until", "state")


@admin.register(MinuteAudit)
class MinuteAuditAdmin(admin.ModelAdmin):
    list_display = ("instrument", "minute", "state", "differences", "audited_at")
    list_filter = ("state", "instrument")
    list_select_related = ("instrument",)


@admin.register(ExchangeBan)
class ExchangeBanAdmin(admin.ModelAdmin):
    list_display = ("host", "until", "reason")


@admin.register(Trouble)
class TroubleAdmin(admin.ModelAdmin):
    list_display = ("instrument", "kind", "key", "text", "updated_at")
    list_filter = ("kind",)
    list_select_related = ("instrument",)


@admin.register(CollectorWorker)
class CollectorWorkerAdmin(admin.ModelAdmin):
    list_display = ("name", "until")


@admin.register(Retention)
class RetentionAdmin(admin.ModelAdmin):
    list_display = ("__str__", "instrument", "grain", "days")
    list_select_related = ("instrument",)


@admin.register(ArchiveFile)
class ArchiveFileAdmin(admin.ModelAdmin):
    list_display = ("name", "instrument", "rows", "imported_at")
    list_select_related = ("instrument",)


@admin.register(ImportJob)
class ImportJobAdmin(admin.ModelAdmin):
    list_display = ("symbol", "market", "first_day", "last_day", "state", "rows", "asked_by")
    list_filter = ("state",)


@admin.register(BackupRun)
class BackupRunAdmin(admin.ModelAdmin):
    list_display = ("started_at", "kind", "state", "file", "size_bytes", "sent_at", "problem")
    list_filter = ("kind", "state")

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False
