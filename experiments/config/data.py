"""The section `data`: where the seeds are, which columns they have, and how they are split."""

from typing import Annotated, Any, Literal

from annotated_types import MinLen
from pydantic import Field, field_validator

from autoevol.experiments.config.section import LocalPath, Section
from autoevol.program.bounds import Count, Size

USUAL_SIZE = 50
"""Rows of dev and of held-out, where the source has enough (paper, section 4.1: 50 dev rows)."""


class FieldsConfig(Section):
    """Names of the columns that hold what a seed needs; null: the file has no such column.

    Attributes:
        instruction: The only column that every row must have.
        input: Material that the instruction refers to.
        response: An answer that is there already.
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
        fields: Names of the columns, where they are not the usual ones.
        invalid: What becomes of records that make no row: `stop` lists them all; `skip` leaves them
            out, counts them, and writes them to `rejected.jsonl`.
        keep: Further columns that travel with their rows as `meta`, into the exports, too: `all`,
            or a list of names.
        train_size: Rows for the mini-batches; null: what is left of 2,000 (paper, footnote 1).
        dev_size: Rows that choose among methods; null: as many as in held-out. Both are 50 (the
            paper's dev set), or less where that would leave too few to train on.
        heldout_size: Rows that measure the result; null: see `dev_size`.
        fresh_size: Rows for the search's confirmation; null: as many as in dev, but at most a
            third of what dev and held-out leave.
        where: Use only rows whose columns hold these values: `{root: [a, b], lang: ko}`.
        limit: Use the first rows only.
    """

    path: Annotated[LocalPath, MinLen(1)]
    format: str = "auto"
    split: str = "train"
    fields: FieldsConfig = FieldsConfig()
    invalid: Literal["stop", "skip"] = "stop"
    keep: Literal["all"] | list[str] = "all"
    train_size: Size | None = None
    dev_size: Size | None = None
    heldout_size: Size | None = None
    fresh_size: Size | None = None
    where: dict[str, str | int | float | list[str | int | float]] = Field(default={})
    limit: Count | None = None

    @field_validator("train_size", "dev_size", "heldout_size", "fresh_size", mode="before")
    @classmethod
    def _auto_is_null(cls, size: Any) -> Any:
        return None if size == "auto" else size


def sized(data: DataConfig, rows: int) -> DataConfig:
    """Return the section with numbers for dev and held-out, for a source of so many rows."""
    numbers = (data.train_size, data.dev_size, data.heldout_size, data.fresh_size)
    left = rows - sum(number or 0 for number in numbers)
    # What has no number shares what is left; train takes part, and confirmation takes from train.
    parts = max(1, sum(number is None for number in numbers[:3]))
    usual = max(1, min(USUAL_SIZE, left // parts))
    named = {"dev_size": data.dev_size, "heldout_size": data.heldout_size}
    return data.model_copy(
        update={key: usual if number is None else number for key, number in named.items()}
    )
