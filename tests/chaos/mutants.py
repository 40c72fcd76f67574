"""Break the collector on purpose, one protection at a time: the campaign, or the test that is
named, must fail each time.

  make mutants

A campaign that stays green when a protection is gone proves nothing.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT_OUT = shutil.ignore_patterns(".venv", "node_modules", "var", ".git", "__pycache__", ".*_cache")


@dataclass(frozen=True)
class Mutant:
    """`old` becomes `new` in `path`; `kinds` are the faults that must bring it to light, or `test`
    is the test: what is wrong only where two writers meet within a moment, a campaign may miss."""

    what: str
    path: str
    old: str
    new: str
    kinds: str = ""
    test: str = ""


RACING = "tests/market/collector/test_racing.py"
MUTANTS = [
    Mutant(
        "the cursor lets duplicates through",
        "market/flow/sequence.py",
        "                self.duplicates += 1\n",
        "                ready.append(trade)\n",
        "double",
    ),
    Mutant(
        "the sweep is not in the record",
        "market/hot/codec.py",
        '    if sweep is None:\n        return ""',
        '    if True:\n        return ""',
        "race,delay,wipe",
    ),
    Mutant(
        "the script does not compare",
        "market/hot/scripts.py",
        "if w.expect[1] ~= '*' and last_id ~= w.expect[1] then return 0 end\n"
        "if revision ~= w.expect[2] then return 0 end\n",
        "",
        test=f"{RACING}::test_a_write_that_expects_another_state_changes_nothing",
    ),
    Mutant(
        "a flush is taken for done before it is",
        "market/collector/flushing.py",
        "            if applied is True:\n",
        "            if True:\n",
        test=f"{RACING}::test_a_write_that_lost_its_race_is_not_taken_for_done",
    ),
    Mutant(
        "the newest trades are taken for proof",
        "market/collector/filler.py",
        "piece = _read(rows, next_id, hole.last_id, is_proof=False)",
        "piece = _read(rows, next_id, hole.last_id, is_proof=True)",
        "fillable hole,cut",
    ),
    Mutant(
        "bars of a dead writer are not saved",
        "market/collector/writer.py",
        "        self.unsaved.bars.update(await self._hot.bars(",
        "        dict(await self._hot.bars(",
        "kill both,kill a",
    ),
    Mutant(
        "a hole is passed over and not rebuilt",
        "market/collector/chores.py",
        "                await rebuild_gap(tape.place, self._outside.rest, gap)\n",
        "                pass\n",
        "REST behind,fillable hole,drop",
    ),
]


def survives(mutant: Mutant) -> bool:
    """Whether the campaign is green though the protection is gone."""
    with tempfile.TemporaryDirectory(prefix="tapelog-mutant-") as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=KEPT_OUT)
        file = tree / mutant.path
        source = file.read_text()
        if mutant.old not in source:
            raise SystemExit(f"{mutant.path} has changed: {mutant.what} cannot be planted")
        file.write_text(source.replace(mutant.old, mutant.new, 1))
        ended = subprocess.run(
            [sys.executable, "-m", *_words(mutant)],
            cwd=tree,
            capture_output=True,
            timeout=900,
            check=False,
        )
        return ended.returncode == 0


def _words(mutant: Mutant) -> list[str]:
    if mutant.test:
        pytest = [sys.executable, "-m", "pytest", "-q", "-x", mutant.test]
        return ["launcher", "exec", "--hasty", "--", *pytest]
    return [
        "tests.chaos",
        "--minutes",
        "0.7",
        "--times",
        "2",
        "--pace",
        "3",
        "--kinds",
        mutant.kinds,
        "--settle",
        "60",
    ]


def main(words: list[str]) -> int:
    """`words` choose mutants by their names; none chooses all."""
    survivors = 0
    chosen = [m for m in MUTANTS if not words or any(word in m.what for word in words)]
    for number, mutant in enumerate(chosen, 1):
        is_green = survives(mutant)
        survivors += is_green
        print(f"{number}/{len(chosen)} {'SURVIVED' if is_green else 'killed':9} {mutant.what}")
    print(f"{len(chosen) - survivors} of {len(chosen)} mutants killed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
