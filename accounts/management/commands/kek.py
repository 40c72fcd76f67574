"""Key-encryption keys: their states, and the rotation while Tapelog runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import KeyEncryptionKey
from accounts.vault import keyfiles, keyring
from lib.envelope import NotOurs

NEED_ID = {"promote": keyring.promote, "disable": keyring.disable, "destroy": keyring.destroy}


class Command(BaseCommand):
    help = (
        "Rotate the keys that seal API credentials: add (a new key file, copy it to every "
        "machine), promote ID (it seals from now on), rewrap (everything is sealed anew), "
        "disable ID, destroy ID. `ensure` makes the first key where there is none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        actions = ["status", "add", "promote", "rewrap", "disable", "destroy", "ensure"]
        parser.add_argument("action", choices=actions)
        parser.add_argument("id", nargs="?", type=int, help="of a key, for promote and later steps")
        parser.add_argument("--batch", type=int, default=500, help="rows that rewrap takes at once")

    def handle(self, *args: Any, **options: Any) -> None:
        action, key_id = options["action"], options["id"]
        try:
            if action in NEED_ID:
                if key_id is None:
                    raise CommandError(f"expected the id of a key: manage.py kek {action} ID")
                NEED_ID[action](key_id)
                self.stdout.write(f"key {key_id}: {action} done")
            elif action == "add":
                self.stdout.write(f"key {keyring.add().pk} is in {keyfiles.folder()}, mode 0400")
            elif action == "rewrap":
                self._rewrap(options["batch"])
            elif action == "ensure":
                keyring.ensure()
            else:
                self._status()
        except (keyfiles.KeyProblem, NotOurs, KeyEncryptionKey.DoesNotExist) as error:
            raise CommandError(str(error)) from error

    def _rewrap(self, batch: int) -> None:
        is_any = False
        for done, total in keyring.rewrap(max(1, batch)):
            is_any = True
            self.stdout.write(f"{done}/{total} sealed anew")
        if not is_any:
            self.stdout.write("everything is sealed with the primary key")

    def _status(self) -> None:
        holders = keyring.live_holders()
        files = set(keyfiles.ids())
        for key in KeyEncryptionKey.objects.all():
            rows = keyring.rows_of(key.pk)
            told = ", ".join(f"{count} {name}" for name, count in rows.items()) or "nothing"
            lacking = [holder.name for holder in holders if key.pk not in holder.key_ids]
            here = "file here" if key.pk in files else "no file here"
            lack = f", lacking at {', '.join(lacking)}" if lacking else ""
            self.stdout.write(
                f"key {key.pk}: {key.state}, {here}, seals {told}, used {key.wraps} times{lack}"
            )
        for key_id in sorted(files - set(KeyEncryptionKey.objects.values_list("pk", flat=True))):
            self.stdout.write(f"key {key_id}: a file that was not added yet")
