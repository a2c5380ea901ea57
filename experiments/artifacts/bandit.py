"""`bandit.json`: what a bandit knew when each round began."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.reading import read_object
from autoevol.program.errors import ConfigError
from autoevol.program.records import MethodTally

BANDIT = "bandit.json"


@dataclass(frozen=True, slots=True)
class BanditFile:
    """What a bandit knew when each round began; a resumed run chooses by the same tallies.

    The rows themselves cannot tell that again: those that were unscored then may be scored now.
    """

    path: Path

    def read(self) -> dict[int, dict[str, MethodTally]]:
        """Return the tallies by round and by the method's name; empty before the first round.

        Raises:
            ConfigError: The file is damaged.
        """
        if not self.path.is_file():
            return {}
        tree = read_object(self.path)
        try:
            return {
                int(number): {name: MethodTally(**tally) for name, tally in tallies.items()}
                for number, tallies in tree.items()
            }
        except (ValueError, TypeError, AttributeError) as error:
            raise ConfigError(
                str(self.path), f"is not what a run writes there: {error!r}"
            ) from error

    def write_round(self, round_number: int, tallies: Mapping[str, MethodTally]) -> None:
        """Add a round that begins; the file is there complete or as it was before."""
        # A resumed run may be killed again before it comes to the later rounds of the file.
        rounds = {**self.read(), round_number: tallies}
        tree = {
            number: {
                name: {"kept": t.kept, "failed": t.failed} for name, t in sorted(by_name.items())
            }
            for number, by_name in sorted(rounds.items())
        }
        write_whole(self.path, json.dumps(tree, indent=1, ensure_ascii=False) + "\n")
