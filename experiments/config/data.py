"""The section `data`: where the seeds are, which columns they have, and how they are split."""

from typing import Annotated, Literal

from annotated_types import MinLen
from pydantic import Field

from autoevol.experiments.config.section import Section
from autoevol.program.bounds import Count, Size


class FieldsConfig(Section):
    """Names of the columns that hold what a seed needs; null: the file has no such column.

    Attributes:
        instruction: The only column that every row must have.
        id: Rows without one are numbered.
        root: The data set that a row comes from.
        turns: Lists of user turns; two or more make the row a conversation.
        system: System prompts: seen by the evolver, never evolved, and given to the responder.
    """

    instruction: str = "instruction"
    input: str | None = "input"
    response: str | None = "response"
    id: str | None = "id"
    root: str | None = "root"
    turns: str | None = "turns"
    system: str | None = "system"


class DataConfig(Section):
    """The seeds, and how many of them the search may use.

    Attributes:
        path: A JSON, JSONL, CSV, TSV, text or Parquet file, a folder or a pattern of such files, or
            a Hugging Face data set.
        format: `auto`: the format that the first record of a file is in; `columns`: the columns
            that `fields` names; or the name of a format, as `autoevol convert --from` takes it.
            Fields that are not the usual ones imply `columns`.
        split: Of a Hugging Face data set.
        invalid: What becomes of records that make no row: `stop` lists them all; `skip` leaves them
            out, counts them, and writes them to `rejected.jsonl`.
        keep: Further columns that travel with their rows as `meta`, into the exports, too: `all`,
            or a list of names.
        train_size: Rows for the mini-batches; null: what is left of 2,000 (paper, footnote 1).
        fresh_size: Rows for the search's confirmation; null: as many as in dev, but at most a
            third of what dev and held-out leave.
        where: Use only rows whose columns hold these values: `{root: [a, b], lang: ko}`.
        limit: Use the first rows only.
    """

    path: Annotated[str, MinLen(1)]
    format: str = "auto"
    split: str = "train"
    fields: FieldsConfig = FieldsConfig()
    invalid: Literal["stop", "skip"] = "stop"
    keep: Literal["all"] | list[str] = "all"
    train_size: Size | None = None
    dev_size: Size = 50
    heldout_size: Size = 50
    fresh_size: Size | None = None
    where: dict[str, str | list[str]] = Field(default={})
    limit: Count | None = None
