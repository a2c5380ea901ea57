"""Rows as a table: a column for each key, and the conversation as a column `messages`."""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autoevol.experiments.data.formats.chat import write_messages
from autoevol.experiments.data.formats.rows import FIGURES, LISTS, NUMBERS, RowDict, new_row
from autoevol.experiments.files.json_text import as_json

_BATCH = 1000


def schema() -> Any:
    """Return the columns as pyarrow's schema; it does not depend on the rows.

    Scores and usage are JSON texts, since their names differ from run to run.
    """
    import pyarrow

    text, texts = pyarrow.string(), pyarrow.list_(pyarrow.string())
    kinds = {**dict.fromkeys(LISTS, texts), **dict.fromkeys(NUMBERS, pyarrow.int64())}
    message = pyarrow.struct([("role", text), ("content", text)])
    columns = [(name, kinds.get(name, text)) for name in new_row("")]
    suspicion = pyarrow.struct([("rule", text), ("evidence", text), ("finding", text)])
    return pyarrow.schema(
        [
            *columns,
            # Null where nothing is suspected; trainers of a strong evolver's rows filter by it.
            ("suspected_by", pyarrow.list_(suspicion)),
            ("system", text),
            ("messages", pyarrow.list_(message)),
        ]
    )


def as_table(rows: Iterable[RowDict]) -> Any:
    """Return rows as a pyarrow table."""
    import pyarrow

    return pyarrow.Table.from_pylist([_values(row) for row in rows], schema())


def write_parquet(path: Path, rows: Iterable[RowDict]) -> int:
    """Write rows to a Parquet file in batches, and return their number."""
    import pyarrow.parquet

    waiting, count = iter(rows), 0
    # A schema inferred from the first batch would fix the type of a column by rows that may have
    # nothing but nulls in it.
    with pyarrow.parquet.ParquetWriter(path, schema()) as file:
        while batch := list(itertools.islice(waiting, _BATCH)):
            file.write_table(as_table(batch))
            count += len(batch)
    return count


def _values(row: RowDict) -> RowDict:
    figures = {key: as_json(row.get(key) or {}) for key in FIGURES}
    return {**row, **figures, **write_messages(row)}
