from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import ExchangeAccount, User
from accounts.services import connecting
from journal.faults import Fault, NotAFile
from journal.management.commands.read_export import body_of
from journal.models import Upload
from journal.services import exports, importing
from journal.sync.doorkeeping import Busy
from journal.tasks import settle_soon

LABEL = "Files"
# It has nobody else to look after: so long it waits for another file of the account, in seconds.
PATIENCE = 300.0


class Command(BaseCommand):
    help = "Take in one of Binance's exports, as the import page does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("file", type=Path)
        parser.add_argument("--account", default="", help="its name; made without a key if missing")
        parser.add_argument(
            "--zone", default="", help="where the file names none: UTC+9, Asia/Seoul"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']}.")
        path: Path = options["file"]
        body = body_of(path)
        account, is_new = self._account(user, options["account"])
        try:
            row = self._looked_at(account, path.name, body, options["zone"])
        except (NotAFile, Busy) as error:
            if is_new:
                account.delete()
            raise CommandError(str(error)) from error
        if is_new:
            self.stdout.write(f"Made the account {account.label}, without a key.")
        try:
            importing.take_in(row, user=user, digest=row.preview["digest"], patience=PATIENCE)
        except Busy as error:
            row.delete()
            raise CommandError(str(error)) from error
        self._refuse(row)
        for left in row.preview["left_out"]:
            self.stdout.write(f"left out: line {left['line']}: {Fault.from_json(left)}")
        self.stdout.write(
            f"{account.label}: {row.preview['kind']}, {row.rows_taken} rows are new and in, "
            f"{row.preview['known']} were known, {row.preview['left_out_count']} are left out."
        )
        for operation, asset, amount in row.preview["unknown"]:
            self.stdout.write(f"not known: {operation}: {amount} {asset}")
        settle_soon()

    def _looked_at(self, account: ExchangeAccount, name: str, body: bytes, zone: str) -> Upload:
        """Raises NotAFile for what cannot be taken in, and for what has nothing to take."""
        row = exports.upload(account=account, name=name, body=body, zone=zone)
        try:
            importing.look(row, PATIENCE)
        except Busy:
            row.delete()
            raise
        reasons = row.preview.get("left_out", ())
        problem: Mapping[str, Any] = row.problem
        if row.preview.get("needs_zone"):
            problem = NotAFile("zone").fault.as_json()
            self.stderr.write("Say it with --zone UTC+9 or --zone Asia/Seoul.")
        elif row.state == Upload.State.LOOKED and not row.preview["rows"]:
            problem = reasons[0] if reasons else NotAFile("no_data").fault.as_json()
        if problem:
            row.delete()
            raise NotAFile(problem["code"], **problem["values"])
        return row

    def _account(self, user: User, label: str) -> tuple[ExchangeAccount, bool]:
        """The one of this name, or the only one, or a new one without a key; whether it is new."""
        mine = ExchangeAccount.objects.visible_to(user)
        if label:
            account = mine.filter(label=label).first()
        else:
            account = mine.first() if mine.count() == 1 else mine.filter(label=LABEL).first()
        if account is not None:
            return account, False
        return connecting.make_keyless(user=user, label=(label or LABEL)[:60]), True

    def _refuse(self, row: Upload) -> None:
        if row.state == Upload.State.FAILED:
            reason = str(Fault.from_json(row.problem))
            row.delete()
            raise CommandError(reason)
