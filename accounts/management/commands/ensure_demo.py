import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import User


class Command(BaseCommand):
    help = "Create the user `demo` with a random password, and print how to sign in."

    def handle(self, *args: Any, **options: Any) -> None:
        note = Path(settings.DATA_DIR) / "secrets" / "demo-password"
        user, created = User.objects.get_or_create(
            username="demo",
            defaults={"email": "demo@tapelog.invalid", "is_staff": True, "is_superuser": True},
        )
        if created:
            password = secrets.token_urlsafe(9)
            user.set_password(password)
            user.save()
            note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            note.touch(mode=0o600)
            note.write_text(password)
        password = note.read_text() if note.exists() else ""
        if password and user.check_password(password):
            self.stdout.write(f"Sign in as demo with the password {password}")
        else:
            self.stdout.write("Sign in as demo with the password you gave it.")
