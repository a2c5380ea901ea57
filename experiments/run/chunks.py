"""Chunks of the bulk phase: a ledger, rows and a mark of its own for each part of the seeds.

A finished chunk is never opened again, so that a run of a million seeds resumes as fast as one of
ten. Seeds keep their numbers among all seeds, on which ids and draws rest, so that the rows of all
chunks in turn are those of a run without chunks, in the same order.
"""

import contextlib
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.resume import LEDGER
from autoevol.experiments.artifacts.row_files import EVOLVED, FAILURES, SURPLUS, UNSCORED
from autoevol.experiments.files.atomic import whole_path, write_whole
from autoevol.experiments.files.reading import read_object
from autoevol.experiments.models.ledger import Bill, read_bill
from autoevol.program.errors import ConfigError
from autoevol.program.records import RoundCount, Status

CHUNKS, DONE = "chunks", "done.json"
_ROWS = (EVOLVED, FAILURES, UNSCORED)


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What became of a chunk.

    Attributes:
        made_by: Fingerprint of what made its rows: methods and F.
        rounds: Where its rewrites went.
        by_method: Attempts by status, for each method's name.
        bill: What its calls used.
    """

    made_by: str
    rounds: Sequence[RoundCount]
    by_method: dict[str, Counter[Status]]
    bill: Bill

    @property
    def has_unscored(self) -> bool:
        """Whether calls of rows died, which the next command tries again."""
        return any(count.unscored for count in self.rounds)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of the seeds.

    Attributes:
        folder: Holds its ledger, its rows and its mark.
        first: Number of its first seed among all seeds, from 0.
        rows: How many seeds it has.
    """

    folder: Path
    first: int
    rows: int

    @property
    def ledger(self) -> Path:
        """The file of its calls."""
        return self.folder / LEDGER

    def finished(self, made_by: str) -> ChunkResult | None:
        """Return what became of it; None: it is not finished, or its rows are to be made again.

        Args:
            made_by: Fingerprint of what would make its rows now.

        Raises:
            ConfigError: Its mark is damaged.
        """
        result = self.result()
        is_current = result is not None and result.made_by == made_by
        return result if is_current and result and self._has_rows(result) else None

    def result(self) -> ChunkResult | None:
        """Return what its mark says; None: there is none.

        Raises:
            ConfigError: The mark is damaged.
        """
        file = self.folder / DONE
        if not file.is_file():
            return None
        tree = read_object(file)
        try:
            return ChunkResult(
                str(tree["made_by"]),
                [RoundCount(**count) for count in tree["rounds"]],
                {name: Counter(counts) for name, counts in tree["by_method"].items()},
                Bill.from_tree(tree["bill"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                str(file), f"is not what a run writes there: {error!r}; remove it"
            ) from error

    def begin(self) -> None:
        """Make its folder; a mark that is there no longer holds, nor does the bill in it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / DONE).unlink(missing_ok=True)

    def finish(self, result: ChunkResult) -> None:
        """Mark the chunk as finished, after its rows have been written."""
        tree = {
            "made_by": result.made_by,
            "rounds": [asdict(count) for count in result.rounds],
            "by_method": {name: dict(counts) for name, counts in result.by_method.items()},
            "bill": asdict(result.bill),
        }
        write_whole(self.folder / DONE, json.dumps(tree, indent=1, ensure_ascii=False) + "\n")

    def _has_rows(self, result: ChunkResult) -> bool:
        """Tell whether its files hold the rows that its mark counts, each of them whole."""
        counted = {
            EVOLVED: sum(count.kept for count in result.rounds),
            FAILURES: sum(count.failed for count in result.rounds),
        }
        return all(_lines(self.folder / name) == rows for name, rows in counted.items())


def _lines(file: Path) -> int:
    if not file.is_file():
        return -1
    with file.open("rb") as lines:
        return sum(line.endswith(b"\n") for line in lines)


def chunks_of(folder: Path, rows: int, size: int) -> list[Chunk]:
    """Return the chunks of a run.

    Args:
        folder: The run's.
        rows: How many seeds it has.
        size: Seeds of a chunk; the last one may have fewer.
    """
    return [
        Chunk(folder / CHUNKS / f"{number:05d}", first, min(size, rows - first))
        for number, first in enumerate(range(0, rows, size), 1)
    ]


def chunk_ledgers(folder: Path) -> list[Path]:
    """Return the ledgers of a run's chunks, as far as they are there."""
    return sorted((folder / CHUNKS).glob(f"*/{LEDGER}"))


def chunk_bills(folder: Path) -> list[Bill]:
    """Return what the chunks of earlier tries used; the ledgers of finished ones stay closed."""
    chunks = [Chunk(path, 0, 0) for path in sorted((folder / CHUNKS).glob("*")) if path.is_dir()]
    return [_bill(chunk) for chunk in chunks]


def _bill(chunk: Chunk) -> Bill:
    # The run itself says what is damaged; its estimate, and a start anew, must not end there.
    with contextlib.suppress(ConfigError):
        if result := chunk.result():
            return result.bill
    return read_bill(chunk.ledger)


def join_rows(folder: Path, chunks: Sequence[Chunk]) -> None:
    """Write the rows of chunks in turn to the run's files, each of them whole."""
    for name in _ROWS:
        files = [chunk.folder / name for chunk in chunks if (chunk.folder / name).is_file()]
        if not files and name == UNSCORED:
            (folder / name).unlink(missing_ok=True)
            continue
        with whole_path(folder / name) as path, path.open("wb") as target:
            for file in files:
                _append(file, target)
    # Of a target that was set before.
    (folder / SURPLUS).unlink(missing_ok=True)


def _append(file: Path, target: Any) -> None:
    with file.open("rb") as source:
        shutil.copyfileobj(source, target, 1 << 20)
