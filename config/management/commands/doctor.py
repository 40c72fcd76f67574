"""What an operator can get wrong, and how to mend it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from config.doctor.findings import Finding, Level, error, fine
from config.doctor.gathering import examine
from market.archive.programs import BackupError
from market.services import backing_up

SIGNS = {Level.OK: "ok     ", Level.WARNING: "WARNING", Level.ERROR: "ERROR  "}


class Command(BaseCommand):
    help = (
        "Look at settings, machine, stores, work and surroundings; say what is wrong and how to "
        "mend it. Exit status 1 when there is an error, warnings alone are 0."
    )
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="findings as JSON, for machines")
        parser.add_argument(
            "--drill",
            action="store_true",
            help="first restore the newest backup for a try, into a database of its own",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tried = [_drill()] if options["drill"] else []
        findings = [*tried, *examine()]
        errors = sum(finding.level == Level.ERROR for finding in findings)
        warnings = sum(finding.level == Level.WARNING for finding in findings)
        if options["json"]:
            rows = [finding.as_json() for finding in findings]
            answer = {"errors": errors, "warnings": warnings, "findings": rows}
            self.stdout.write(json.dumps(answer, indent=1))
        else:
            self.stdout.write("\n".join(map(_line, findings)))
            self.stdout.write(f"{errors} errors, {warnings} warnings")
        if errors:
            raise SystemExit(1)


def _drill() -> Finding:
    try:
        run = backing_up.drill()
    except (BackupError, DatabaseError) as problem:
        remedy = "mend what it says; the role needs CREATEDB and the server room for a second copy"
        return error("drill", f"the trial restore failed: {problem}"[:600], remedy)
    return fine("drill", f"{run.file} was restored: {run.tables} tables, every row as it was")


def _line(finding: Finding) -> str:
    line = f"{SIGNS[finding.level]} {finding.topic}: {finding.text}"
    return f"{line}\n        → {finding.remedy}" if finding.remedy else line
