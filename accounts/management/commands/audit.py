from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import AuditChain
from accounts.services import auditing


class Command(BaseCommand):
    help = "Verify the audit trail: exit 1 when a row was changed, is missing, or was swapped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["verify"])

    def handle(self, *args: Any, **options: Any) -> None:
        broken = list(auditing.verify())
        for link in broken:
            self.stdout.write(str(link))
        if broken:
            raise CommandError(f"{len(broken)} links of the audit trail are not as written")
        chains = AuditChain.objects.all()
        rows = sum(chain.length for chain in chains)
        self.stdout.write(f"{len(chains)} chains with {rows} rows are whole")
