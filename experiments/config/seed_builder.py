"""The YAML of `autoevol seeds`: the sources of a seed file, and how many rows of each."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from autoevol.experiments.config.errors import checked
from autoevol.experiments.config.loading import read_yaml
from autoevol.experiments.config.section import Section
from autoevol.program.bounds import Count, Size

Name = Annotated[str, Field(min_length=1)]


class ColumnsConfig(Section):
    """Names of the columns; every row must have the columns that are named."""

    instruction: Name = "instruction"
    input: Name | None = None
    response: Name | None = None


class SourceConfig(Section):
    """A data set that seeds are drawn from.

    Attributes:
        path: A file, a folder of files, or a Hugging Face data set.
        name: First part of each row's `root`; null: the data set's name, or the file's without its
            suffix.
        split: Of a Hugging Face data set.
        subsets: Configurations of a Hugging Face data set, each a subset; `all`: all it has.
        subset_column: The column whose values are the subsets.
        quota: Rows of each subset, or of the whole source without subsets; null: all.
        invalid: What becomes of records that make no row: `stop` lists them, `skip` counts them.
        whole_below: A subset with fewer rows than this is taken whole, whatever the quota.
    """

    path: Name
    name: Name | None = None
    split: str = "train"
    subsets: list[Name] | Literal["all"] = Field(default=[])
    subset_column: Name | None = None
    fields: ColumnsConfig = ColumnsConfig()
    quota: Count | None = None
    whole_below: Size = 0
    invalid: Literal["stop", "skip"] = "stop"

    @model_validator(mode="after")
    def _one_kind_of_subset(self) -> Self:
        if self.subsets and self.subset_column:
            raise ValueError("subsets and subset_column cannot both be set")
        return self


class SeedsConfig(Section):
    """A set of seeds.

    Attributes:
        seed: Of the draw and of the order.
        total: Most rows in all; null: as many as the quotas allow.
        exclude: Phrases; a row whose instruction contains one is left out.
        exclude_patterns: Regular expressions; a row whose instruction matches one is left out.
    """

    seed: int = 0
    total: Count | None = None
    exclude: list[Name] = Field(default=[])
    exclude_patterns: list[Name] = Field(default=[])
    sources: list[SourceConfig] = Field(min_length=1)

    @field_validator("exclude_patterns")
    @classmethod
    def _compiling(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return patterns


def load_seeds_config(path: Path) -> SeedsConfig:
    """Parse one YAML file.

    Raises:
        ConfigError: Names the file and the key.
    """
    return checked(SeedsConfig, read_yaml(path), path)
