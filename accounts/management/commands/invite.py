from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from accounts import sign_up


class Command(BaseCommand):
    help = "Make an invitation for one newcomer and print its address as the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=sign_up.DAYS, help="until it ends")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["days"] <= 365:
            raise CommandError(f"--days: expected 1 to 365, was {options['days']}")
        if settings.SIGN_UP != "invitation":
            self.stderr.write(f"SIGN_UP is {settings.SIGN_UP}: invitations count where it is")
        code = sign_up.invite(by=None, days=options["days"])
        self.stdout.write(f"{settings.PUBLIC_URL}{reverse('account_signup')}?invitation={code}")
