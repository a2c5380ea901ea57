"""The files of joonavel's two systems: evol-instruct ("koevol") and auto-evol-instruct.

koevol keeps a table in pandas' split form; its trace is "r" and one digit for each generation.
auto-evol-instruct keeps one list for each column; its `root` is the seed's text, and `reference`
where the seed came from.
"""

from collections.abc import Iterable, Iterator

from experiments.formats.lineage import Lineage
from experiments.formats.rows import Notes, RowDict, new_row, prompt_of
from experiments.reading import Record
from program.errors import ConfigError

TRACE = ("breadth", "complicate", "concretize", "constraints", "deepen", "reasoning")
"""koevol's methods; a method's digit in a trace is its place here."""

UNANSWERED = ("IDK", "parsing_error")
"""What both systems write where a model gave no answer; the first is what we write."""

AUTO_EVOL = "auto-evol-instruct"
"""The name of the method in rows of auto-evol-instruct, which keeps its own in a log only."""


def read_koevol(records: Iterable[Record], notes: Notes) -> Iterator[tuple[str, RowDict]]:
    """Yield the rows of koevol's records; generation g is round g."""
    lineage = Lineage()
    for record in records:
        instruction = record.text("instruction")
        generation = record.whole("generation")
        trace = _trace(record, generation)
        origin = record.optional_text("origin") or instruction
        yield (
            record.place,
            new_row(
                instruction,
                origin=origin,
                root=record.optional_text("root"),
                response=_answer(record, "output", notes),
                **lineage.place(origin, generation, trace),
            ),
        )


def _trace(record: Record, generation: int) -> tuple[str, ...]:
    written = record.present_text("trace")
    digits = written.removeprefix("r")
    if not all(digit in "012345" for digit in digits):
        raise record.wrong("trace", f"must be r and digits from 0 to 5, is {written[:40]!r}")
    if len(digits) != generation:
        problem = f"{written!r} has {len(digits)} digits, generation is {generation}"
        raise record.wrong("trace", problem)
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
        ConfigError: The row was made by a method that has no digit.
    """
    unknown = [name for name in row["trace"] if name not in TRACE]
    if unknown:
        raise ConfigError(
            f"row {row['id']!r}",
            f"trace names {unknown[0]!r}, koevol knows only {', '.join(TRACE)}",
        )
    return {
        "instruction": prompt_of(row),
        "generation": row["round"],
        "root": row["root"],
        "trace": "r" + "".join(str(TRACE.index(name)) for name in row["trace"]),
        "origin": row["origin"],
        "output": row["response"] or UNANSWERED[0],
    }


def read_auto_evol(records: Iterable[Record], notes: Notes) -> Iterator[tuple[str, RowDict]]:
    """Yield the rows of auto-evol-instruct's records; a row that is its own root is a seed."""
    lineage = Lineage()
    for record in records:
        instruction = record.text("instruction")
        origin = record.optional_text("root") or instruction
        is_seed = origin == instruction
        trace = () if is_seed else (AUTO_EVOL,)
        yield (
            record.place,
            new_row(
                instruction,
                origin=origin,
                root=record.optional_text("reference"),
                response=_answer(record, "response", notes),
                **lineage.place(origin, len(trace), trace),
            ),
        )


def write_auto_evol(row: RowDict) -> RowDict:
    """Return auto-evol-instruct's record."""
    return {
        "instruction": prompt_of(row),
        "response": row["response"] or UNANSWERED[0],
        "root": row["origin"] or prompt_of(row),
        "reference": row["root"],
    }
