from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from accounts.changes import changed
from accounts.models import (
    ApiToken,
    AuditEntry,
    ExchangeAccount,
    Invitation,
    KeyEncryptionKey,
    TradingKey,
    User,
)
from accounts.services import auditing, sign_ins


@admin.register(User)
class TraderAdmin(UserAdmin):
    list_display = ("username", "email", "is_active", "is_staff", "last_login")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Who is shut out is out at once: sessions, sockets and tokens."""
        super().save_model(request, obj, form, change)
        if "is_active" in form.changed_data and not obj.is_active:
            sign_ins.end_all(obj, why="deactivated")
            changed(obj, "deactivated")
            actor = request.user if isinstance(request.user, User) else None
            auditing.record(owner=obj, actor=actor, action="deactivated", subject=str(obj.pk))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """A user goes by `manage.py erase_user`, which leaves nothing behind."""
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens can be seen by prefix and revoked, never read or made here."""

    list_display = ("prefix", "user", "name", "created_at", "expires_at", "last_used_at")
    list_select_related = ("user",)
    fields = readonly_fields = (
        "user",
        "prefix",
        "name",
        "scopes",
        "networks",
        "key_kind",
        "created_at",
        "expires_at",
        "last_used_at",
        "last_used_from",
    )

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
        "has_trading_key",
        "kek_id",
        "state",
        "problem",
        "problem_detail",
        "created_at",
        "checked_at",
    )

    @admin.display(boolean=True)
    def has_trading_key(self, account: ExchangeAccount) -> bool:
        return TradingKey.objects.filter(account=account).exists()

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


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):
    """Made by `manage.py invite`; here one is taken back."""

    list_display = ("made_at", "made_by", "until", "used_at", "used_by")
    list_select_related = ("made_by", "used_by")
    fields = readonly_fields = ("made_by", "made_at", "until", "used_at", "used_by")

    def has_add_permission(self, request: object) -> bool:
        return False
