"""What an operator can get wrong, and how to mend it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.doctor.findings import Finding, Level
from config.doctor.gathering import examine

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

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
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


def _line(finding: Finding) -> str:
    line = f"{SIGNS[finding.level]} {finding.topic}: {finding.text}"
    return f"{line}\n        → {finding.remedy}" if finding.remedy else line
