"""What a bandit began each round with, kept in the run's folder: a run that goes on keeps to it."""

import json
from collections.abc import Mapping
from pathlib import Path

from autoevol.experiments.files.atomic import write_whole
from autoevol.program.records import MethodTally

NAME = "bandit.json"


def read_learned(folder: Path) -> dict[int, dict[str, MethodTally]]:
    """Return the totals by round and by method's name; empty when no round has begun."""
    file = folder / NAME
    found = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return {
        int(number): {name: MethodTally(**total) for name, total in totals.items()}
        for number, totals in found.items()
    }


class LearnedWriter:
    """Keeps the totals of each round as it begins."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, round_number: int, totals: Mapping[str, MethodTally]) -> None:
        """Keep a round's totals; the file is there complete or as it was before."""
        known = {**read_learned(self._folder), round_number: totals}
        tree = {
            number: {name: {"kept": t.kept, "failed": t.failed} for name, t in by_name.items()}
            for number, by_name in known.items()
        }
        write_whole(self._folder / NAME, json.dumps(tree, indent=1, ensure_ascii=False) + "\n")
