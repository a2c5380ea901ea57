"""What a run has to know of all its seeds together, gathered in one pass over them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from autoevol.program.checks.constraining import CHECKS
from autoevol.program.records import Row
from autoevol.program.row_ids import LastSteps

# Made once, and not for each of a million rows.
_ascii, _unicode = json.JSONEncoder().encode, json.JSONEncoder(ensure_ascii=False).encode


@dataclass(slots=True)
class SeedFacts:
    """Facts about the seeds of a run.

    Attributes:
        rows: Their number.
        turns: Their user turns; a single instruction counts as one.
        has_inputs: Whether any has an input.
        has_responses: Whether any has an answer.
        has_rounds: Whether any was evolved before.
        has_checks: Whether any brings checks of its answers.
        taken: How the ids of rows, seeds and parents end.
        continued: How the ids of those end that were evolved before.
    """

    rows: int = 0
    turns: int = 0
    has_inputs: bool = False
    has_responses: bool = False
    has_rounds: bool = False
    has_checks: bool = False
    taken: LastSteps = field(default_factory=LastSteps)
    continued: LastSteps = field(default_factory=LastSteps)
    _instruction_words: int = 0
    _prompt_words: int = 0
    _content: Any = field(default_factory=hashlib.sha256)
    _data_set: Any = field(default_factory=hashlib.sha256)

    @classmethod
    def of(cls, rows: Iterable[Row], prompt: str = "") -> Self:
        """Return the facts about some seeds, in the run's order.

        Args:
            rows: The seeds.
            prompt: What the fingerprint of the run's content begins with.
        """
        facts = cls()
        facts._content.update(prompt.encode())
        for row in rows:
            facts.add(row)
        return facts

    @property
    def instruction_length(self) -> float:
        """Words of an instruction, on average."""
        return self._instruction_words / max(1, self.rows)

    @property
    def prompt_length(self) -> float:
        """Words of an instruction and its input, on average."""
        return self._prompt_words / max(1, self.rows)

    @property
    def data_set(self) -> str:
        """Fingerprint of ids and instructions, for MLflow."""
        return str(self._data_set.hexdigest()[:8])

    def content(self) -> Any:
        """Return a hash that holds all that decides what becomes of the seeds, to be continued."""
        return self._content.copy()

    def add(self, row: Row) -> None:
        """Take a further seed into account."""
        self.rows += 1
        self.turns += len(row.turns) or 1
        words = len(row.instruction.split())
        self._instruction_words += words
        self._prompt_words += words + (len(row.input.split()) if row.input else 0)
        self.has_inputs = self.has_inputs or bool(row.input)
        self.has_responses = self.has_responses or bool(row.response)
        self.has_rounds = self.has_rounds or bool(row.round)
        self.has_checks = self.has_checks or CHECKS in row.meta
        self._add_ids(row)
        fields = [row.id, row.instruction, row.input, row.turns, row.response, row.round]
        fields += [row.system] if row.system else []
        self._content.update(_ascii(fields).encode())
        self._data_set.update(_unicode(fields[:2]).encode())

    def _add_ids(self, row: Row) -> None:
        for name in {row.id, row.seed_id, row.parent_id}:
            if name:
                self.taken.add(name)
        if row.round:
            self.continued.add(row.id)
