import base64
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import scopes
from accounts.models import User
from accounts.services import signatures
from accounts.services.tokens import DEFAULT_DAYS, Binding, CannotIssue, issue_token
from accounts.vault.keyfiles import KeyProblem
from lib.secret import Secret


class Command(BaseCommand):
    help = (
        "Make a personal API token for a user and print it as the last line. With --sign hmac its "
        "requests have to be signed (RFC 9421), and the line before is the key in base64."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--scopes",
            default=",".join(scopes.DEFAULT),
            help=f"comma-separated, of {', '.join(scopes.Scope.values)}; default: all but trade",
        )
        parser.add_argument("--days", type=int, default=DEFAULT_DAYS, help="until it ends")
        parser.add_argument("--name", default="", help="for its owner to tell tokens apart")
        parser.add_argument("--networks", default="", help="comma-separated CIDR; none: anywhere")
        parser.add_argument("--sign", choices=["hmac"], help="bind it to a new key")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = User.objects.get(username=options["username"])
        except User.DoesNotExist as error:
            raise CommandError(f"There is no user called {options['username']!r}.") from error
        key = signatures.new_key() if options["sign"] else None
        try:
            token = issue_token(
                user=user,
                name=options["name"][:60],
                scopes=options["scopes"].split(","),
                days=options["days"],
                networks=[word for word in options["networks"].split(",") if word.strip()],
                binding=None if key is None else Binding(options["sign"], Secret(key)),
            )
        except (CannotIssue, KeyProblem) as error:
            raise CommandError(str(error)) from error
        if key is not None:
            self.stdout.write(base64.b64encode(key).decode())
        self.stdout.write(token)
