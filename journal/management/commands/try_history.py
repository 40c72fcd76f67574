"""`manage.py try_history FILE [--case NAME] [--method fifo]`: see journal.books.trying."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from journal.ledger.lots import METHODS
from journal.services.histories import BadCase
from journal.services.trying import try_case

# What a history of the money model has; cases of doors have none of these.
KEYS = ("spot", "usdm", "transfers", "income", "dividends", "dribblet", "converts", "swaps")


class Command(BaseCommand):
    help = "Runs histories through the books without keeping anything, and prints what they come to"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="a JSON list of cases, or one case")
        parser.add_argument("--case", default="", help="only the case of this name")
        parser.add_argument("--method", default="fifo", choices=METHODS)

    def handle(self, *args: Any, **options: Any) -> None:
        cases = _read(options["file"])
        if options["case"]:
            cases = [case for case in cases if case.get("name") == options["case"]]
            if not cases:
                raise CommandError(f"expected a case named {options['case']!r}, there is none")
        answers = []
        for case in cases:
            if not any(key in case for key in KEYS):
                continue
            try:
                answers.append(try_case(case, options["method"]))
            except BadCase as error:
                raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({"cases": answers}, indent=1))


def _read(name: str) -> list[dict[str, Any]]:
    try:
        told = json.loads(Path(name).read_text())
    except OSError as error:
        raise CommandError(f"expected a file that can be read: {error}") from error
    except ValueError as error:
        raise CommandError(f"expected JSON in {name}: {error}") from error
    cases = told.get("cases", [told]) if isinstance(told, dict) else told
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        raise CommandError("expected a list of cases")
    return cases
