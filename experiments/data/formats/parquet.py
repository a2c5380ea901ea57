"""Rows as a table: a column for each key, and the conversation as a column `messages`."""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from autoevol.experiments.data.formats.chat import write_messages
from autoevol.experiments.data.formats.rows import FIGURES, LISTS, META, NUMBERS, RowDict, new_row
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
            # As JSON, since the columns differ from set to set.
            (META, text),
            ("messages", pyarrow.list_(message)),
        ]
    )


def as_table(rows: Iterable[RowDict]) -> Any:
    """Return rows as a pyarrow table."""
    import pyarrow

    return pyarrow.Table.from_pylist([_values(row) for row in rows], schema())


def as_wide_table(rows: Sequence[RowDict]) -> Any:
    """Return rows as a pyarrow table with a column for each key of their `meta`.

    A column whose values have a common type has that type, any other holds JSON. Where a row's own
    key has the name, `meta_` comes before it.
    """
    table = as_table(rows).drop_columns([META])
    for name in dict.fromkeys(name for row in rows for name in row.get(META) or ()):
        values = [(row.get(META) or {}).get(name) for row in rows]
        label = f"meta_{name}" if name in table.column_names else name
        table = table.append_column(label, _array(values))
    return table


def _array(values: Sequence[Any]) -> Any:
    """Return a column of the values' own type, or of JSON texts where they have no common one."""
    import pyarrow

    try:
        array = pyarrow.array(values)
        # Objects of different keys would get each other's, and a large number would be rounded.
        if array.to_pylist() == list(values):
            return array
    except (pyarrow.ArrowException, OverflowError):
        pass
    return pyarrow.array([None if value is None else as_json(value) for value in values])


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
    meta = {META: as_json(row[META])} if row.get(META) else {}
    return {**row, **figures, **meta, **write_messages(row)}
