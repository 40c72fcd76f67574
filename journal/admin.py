"""How reading stands, for the operator: no amounts, and nothing to change by hand."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from journal.models import Book, Coverage, Sync


class ReadOnly(admin.ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Sync)
class SyncAdmin(ReadOnly):
    list_display = ("account", "state", "note", "done", "expected", "finished_at", "holder")
    list_filter = ("state",)


@admin.register(Coverage)
class CoverageAdmin(ReadOnly):
    list_display = ("account", "kind", "market", "symbol", "is_complete", "rows", "checked_at")
    list_filter = ("kind", "market", "is_complete")


@admin.register(Book)
class BookAdmin(ReadOnly):
    list_display = ("account", "market", "name", "version", "built")
    list_filter = ("market",)
