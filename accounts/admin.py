from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from accounts.models import ApiToken, AuditEntry, ExchangeAccount, KeyEncryptionKey, User


@admin.register(User)
class TraderAdmin(UserAdmin):
    list_display = ("username", "email", "is_active", "is_staff", "last_login")


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens can be seen by prefix and revoked, never read or made here."""

    list_display = ("prefix", "user", "created_at", "last_used_at")
    list_select_related = ("user",)
    readonly_fields = ("user", "prefix", "created_at", "last_used_at")

    def has_add_permission(self, request: object) -> bool:
        return False


@admin.register(ExchangeAccount)
class ExchangeAccountAdmin(admin.ModelAdmin):
    """Keys are set or not set here; nothing shows them."""

    list_display = ("label", "user", "venue", "state", "problem", "has_key", "checked_at")
    list_filter = ("state", "venue")
    list_select_related = ("user",)
    fields = readonly_fields = (
        "label",
        "user",
        "venue",
        "key_kind",
        "last_four",
        "has_key",
        "kek_id",
        "state",
        "problem",
        "problem_detail",
        "created_at",
        "checked_at",
    )

    @admin.display(boolean=True)
    def has_key(self, account: ExchangeAccount) -> bool:
        return bool(account.api_key)

    def has_add_permission(self, request: object) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    """Rows are only ever added."""

    list_display = ("at", "action", "owner", "actor", "subject", "why")
    list_select_related = ("owner", "actor")

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(KeyEncryptionKey)
class KeyEncryptionKeyAdmin(admin.ModelAdmin):
    """States are changed by `manage.py kek`."""

    list_display = ("id", "state", "wraps", "created_at")

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False
