"""Starts faults where they strike: from the control API, and from a script (`--faults FILE`)."""

import asyncio
import random
import tomllib
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path

from simulator.exchange import Exchange
from simulator.faults import Active, Faults, checked
from simulator.sockets import Sockets
from simulator.sources.generator import Generated
from simulator.symbol import Symbol
from simulator.wsapi import WsApi


@dataclass(frozen=True)
class Step:
    """A fault of a script: `at` seconds after the start, then every `every` ± 50 %."""

    kind: str
    at: float
    every: float
    arguments: dict[str, object]


@dataclass(frozen=True)
class Script:
    seed: int
    rates: dict[str, object]
    steps: list[Step]


class Injector:
    def __init__(self, exchange: Exchange, sockets: Sockets, api: WsApi) -> None:
        self.exchange = exchange
        self.sockets = sockets
        self.api = api
        self._background: set[asyncio.Task[None]] = set()

    def inject(self, kind: str, arguments: dict[str, object]) -> dict[str, object]:
        """Raises ValueError with what was expected. Returns what was begun."""
        fault = self.exchange.faults.start(kind, arguments)
        struck: dict[str, object] = {}
        if kind == "cut":
            stream = str(fault.arguments["stream"])
            struck["connections"] = self.sockets.cut(stream)
            if stream == "*":
                struck["user_connections"] = self.api.cut()
        elif kind == "half_open":
            chosen = self.sockets.choose(str(fault.arguments["stream"]))
            for connection in chosen:
                connection.is_half_open = True
            struck["connections"] = len(chosen)
        elif kind == "shutdown":
            self._later(self.sockets.shut_down(fault.number("seconds")))
            self._later(self.api.shut_down(fault.number("seconds")))
        elif kind in {"hole", "halt", "forget", "wipe"}:
            struck["symbols"] = [self._strike(symbol, fault) for symbol in self._symbols(fault)]
        return {"kind": kind, **fault.arguments, **struck}

    async def play(self, script: Script) -> None:
        """Runs until it is cancelled, or until a script without repetitions is over."""
        self.exchange.faults.change({**script.rates, "seed": script.seed})
        rng = random.Random(script.seed)
        await asyncio.gather(*(self._repeat(step, rng) for step in script.steps))

    async def _repeat(self, step: Step, rng: random.Random) -> None:
        await asyncio.sleep(step.at)
        while True:
            self.inject(step.kind, step.arguments)
            if not step.every:
                return
            await asyncio.sleep(step.every * rng.uniform(0.5, 1.5))

    def _symbols(self, fault: Active) -> list[Symbol]:
        return [
            symbol
            for market in self.exchange.markets.values()
            if fault.matches("market", market.name)
            for symbol in market.symbols
            if fault.matches("symbol", symbol.rules.symbol)
        ]

    def _strike(self, symbol: Symbol, fault: Active) -> str:
        if fault.kind == "wipe":
            self.exchange.wipe(symbol, int(fault.number("first_id")))
        elif fault.kind == "halt":
            if isinstance(symbol.source, Generated):
                symbol.source.is_halted = bool(fault.arguments["on"])
        elif fault.kind == "forget":
            symbol.tape.forget(int(fault.number("kept")))
        elif fault.arguments["fillable"]:
            symbol.unsaid += int(fault.number("ids"))
        else:
            last = symbol.tape.last
            burnt = last.agg_id + 1 if last else 0  # aggregates have a hole as well
            symbol.tape.skip(int(fault.number("ids")), burnt)
        return symbol.rules.symbol

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def read_script(path: Path) -> Script:
    """A TOML file: `seed`, `[rates]`, and `[[fault]]` with `kind`, `at`, `every` and arguments.

    Raises ValueError with what was expected.
    """
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path}: expected a TOML file of faults: {error}") from error
    unknown = set(content) - {"seed", "rates", "fault"}
    if unknown:
        raise ValueError(f"{path}: expected seed, rates and fault, was {', '.join(unknown)}")
    rates = dict(content.get("rates", {}))
    try:
        Faults().change(rates)
    except ValueError as error:
        raise ValueError(f"{path}, rates: {error}") from error
    steps = []
    for number, table in enumerate(content.get("fault", []), 1):
        kind, at, every = table.pop("kind", ""), table.pop("at", 0.0), table.pop("every", 0.0)
        try:
            checked(kind, table)
            if not all(isinstance(value, int | float) and value >= 0 for value in (at, every)):
                raise ValueError("expected at and every as numbers of seconds")
        except ValueError as error:
            raise ValueError(f"{path}, fault {number}: {error}") from error
        steps.append(Step(kind, float(at), float(every), table))
    return Script(int(content.get("seed", 1)), rates, steps)
