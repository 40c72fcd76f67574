"""A day of tape at many times its pace, and the proof that every bar is exact."""

import signal
import threading
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from market.proving import soaking

WIDTH = 30


class Command(BaseCommand):
    help = (
        "Run the simulator's market PACE times as fast for HOURS / PACE hours on this running "
        "installation, and compare every second and minute of every followed tape with the "
        "simulator's truth. Exits with 1 where a bar is wrong or a gap stays open."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", type=float, default=24.0, help="of market time (24)")
        parser.add_argument("--pace", type=float, default=24.0, help="times the usual pace (24)")

    def handle(self, *args: Any, **options: Any) -> None:
        hours, pace = options["hours"], options["pace"]
        if settings.VENUE != "simulator":
            raise CommandError(
                f"expected BINANCE=simulator, was {settings.VENUE}: a real market cannot be hurried"
            )
        if not 0 < hours <= 24 * 31 or not 1 <= pace <= 1000:
            raise CommandError("expected --hours above 0 and up to 744, --pace from 1 to 1000")
        if hours * 3600 / pace < 10:
            raise CommandError("expected --hours / --pace of ten seconds at least")
        stopping = threading.Event()

        def stop(number: int, frame: FrameType | None) -> None:
            stopping.set()

        before = [
            (number, signal.signal(number, stop)) for number in (signal.SIGINT, signal.SIGTERM)
        ]
        try:
            soak = soaking.run(hours * 3600 / pace, pace, self.tell, stopping.is_set)
        except soaking.NoSimulator as error:
            raise CommandError(str(error)) from error
        except soaking.Interrupted as error:
            raise CommandError("stopped; the market has its usual pace again") from error
        finally:
            for number, handler in before:
                signal.signal(number, handler)
        self.report(soak)

    def tell(self, what: str, share: float) -> None:
        bar = "█" * round(WIDTH * share)
        self.stderr.write(f"\r{bar:░<{WIDTH}} {share:6.1%}  {what:40}", ending="")
        self.stderr.flush()

    def report(self, soak: soaking.Soak) -> None:
        self.stderr.write("")
        seconds = max(1, soak.end - soak.start)
        first, last = (size / 2**20 for size in soak.memory)
        self.stdout.write(
            f"{soak.trades:,} trades in {seconds:,} s ({soak.trades / seconds:,.0f} a second), "
            f"{soak.bars:,} bars compared, {len(soak.wrong)} wrong, {soak.open_gaps} gaps open; "
            f"at worst {soak.worst_lag:,} ms behind; Redis {first:.0f} MB, then {last:.0f} MB"
        )
        for line in soak.wrong:
            self.stdout.write(line)
        if not soak.is_well:
            raise CommandError("the sums are not proven")
