from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.services import erasing


class Command(BaseCommand):
    help = "Erase a user with everything that is theirs; --yes says that you mean it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--yes", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get(username=options["username"])
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user called {options['username']!r}.") from error
        if not options["yes"]:
            raise CommandError(f"This erases {user.username!r} for good: say --yes.")
        try:
            erasing.ask(user, typed=user.username)
        except erasing.CannotErase as error:
            raise CommandError(str(error)) from error
        erasing.erase(user.pk)
        self.stdout.write(f"{options['username']} is erased")
