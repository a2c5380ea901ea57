"""The files of joonavel's two systems: evol-instruct ("koevol") and auto-evol-instruct.

koevol keeps a table in pandas' split form; its trace is "r" and one digit for each generation.
auto-evol-instruct keeps one list for each column; its `root` is the seed's text, and `reference`
where the seed came from.
"""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from autoevol.experiments.config.shipped import KOEVOL_METHODS
from autoevol.experiments.data.formats.rows import Notes, ReadOne, RowDict, new_row, prompt_of
from autoevol.experiments.files.records import Record
from autoevol.program.errors import ConfigError

TRACE = KOEVOL_METHODS

UNANSWERED = ("IDK", "parsing_error")
"""What both systems write in place of a missing answer; we write the first."""

AUTO_EVOL = "auto-evol-instruct"
"""The method's name in rows of auto-evol-instruct, whose files do not say which method it was."""


def koevol_reader() -> ReadOne:
    """Return a reader of koevol's records; generation g is round g."""
    return partial(_koevol_row, SourceLineage())


def _koevol_row(lineage: "SourceLineage", record: Record, notes: Notes) -> RowDict:
    instruction = record.text("instruction")
    generation = record.whole_number("generation")
    trace = _trace(record, generation)
    origin = record.optional_text("origin") or instruction
    return new_row(
        instruction,
        origin=origin,
        root=record.optional_text("root"),
        response=_answer(record, "output", notes),
        **lineage.keys_of(origin, generation, trace),
    )


def _trace(record: Record, generation: int) -> tuple[str, ...]:
    trace = record.present_text("trace")
    digits = trace.removeprefix("r")
    if not all(digit in "012345" for digit in digits):
        raise record.error("trace", f"must be r and digits from 0 to 5, is {trace[:40]!r}")
    if len(digits) != generation:
        problem = f"{trace!r} has {len(digits)} digits, generation is {generation}"
        raise record.error("trace", problem)
    return tuple(TRACE[int(digit)] for digit in digits)


def _answer(record: Record, key: str, notes: Notes) -> str:
    answer = record.optional_text(key)
    if answer not in UNANSWERED:
        return answer
    notes[f"answers are {' or '.join(UNANSWERED)}: read as no response"] += 1
    return ""


def write_koevol(row: RowDict) -> RowDict:
    """Return koevol's record.

    Raises:
        ConfigError: A method in the row's trace has no digit.
    """
    return {
        # koevol has no key for an input.
        "instruction": prompt_of(row),
        # A row that failed in a round has a shorter trace, and koevol counts its digits.
        "generation": len(row["trace"]),
        "root": row["root"],
        "trace": koevol_trace(row),
        "origin": row["origin"],
        "output": row["response"] or UNANSWERED[0],
    }


def koevol_trace(row: RowDict) -> str:
    """Return a row's trace in koevol's form.

    Raises:
        ConfigError: A method in the trace has no digit.
    """
    unknown = [name for name in row["trace"] if name not in TRACE]
    if unknown:
        raise ConfigError(
            f"row {row['id']!r}",
            f"trace names {unknown[0]!r}, must be one of {', '.join(TRACE)} in this format",
        )
    return "r" + "".join(str(TRACE.index(name)) for name in row["trace"])


def auto_evol_reader() -> ReadOne:
    """Return a reader of auto-evol-instruct's records; a row that is its own root is a seed."""
    return partial(_auto_evol_row, SourceLineage())


def _auto_evol_row(lineage: "SourceLineage", record: Record, notes: Notes) -> RowDict:
    instruction = record.text("instruction")
    origin = record.optional_text("root") or instruction
    is_seed = origin == instruction
    trace = () if is_seed else (AUTO_EVOL,)
    return new_row(
        instruction,
        origin=origin,
        root=record.optional_text("reference"),
        response=_answer(record, "response", notes),
        **lineage.keys_of(origin, len(trace), trace),
    )


def write_auto_evol(row: RowDict) -> RowDict:
    """Return auto-evol-instruct's record."""
    return {
        "instruction": prompt_of(row),
        "response": row["response"] or UNANSWERED[0],
        "root": row["origin"] or prompt_of(row),
        "reference": row["root"],
    }


@dataclass
class SourceLineage:
    """Makes the ids of rows from their seed's text and their round, in the form of a run's ids.

    The files name no seeds and no parents: rows of one origin share a seed, and a row's parent is
    the first row with the same origin whose trace is one step shorter.
    """

    _seeds: dict[str, str] = field(default_factory=dict)
    _ids: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    _taken: Counter[str] = field(default_factory=Counter)

    def keys_of(self, origin: str, generation: int, trace: tuple[str, ...]) -> dict[str, Any]:
        """Return `id`, `seed_id`, `parent_id`, `round`, `method` and `trace` of the next row.

        Args:
            origin: The seed's text.
            generation: 0 for a seed.
            trace: Names of the methods applied since the seed, one for each generation.
        """
        seed = self._seeds.setdefault(origin, f"row-{len(self._seeds) + 1:06d}")
        identity = self._unique(f"{seed}.{generation}" if generation else seed)
        # A first rewrite's parent is its seed even where the file does not hold the seed as a row.
        parent = seed if generation == 1 else self._ids.get((origin, trace[:-1]))
        self._ids.setdefault((origin, trace), identity)
        return {
            "id": identity,
            "seed_id": seed if generation else identity,
            "parent_id": parent if generation else None,
            "round": generation,
            "method": trace[-1] if trace else None,
            "trace": trace,
        }

    def _unique(self, identity: str) -> str:
        # Several rewrites of a seed in one generation would otherwise share an id.
        self._taken[identity] += 1
        count = self._taken[identity]
        return identity if count == 1 else f"{identity}-{count}"
