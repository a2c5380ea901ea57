"""The section `optimizer`: which search runs, and its hyper-parameters."""

from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from autoevol.experiments.config.section import LocalPath, NameOrPath, Section
from autoevol.program.search.settings import PAPER, SearchOptions


class OptimizerConfig(Section, SearchOptions):
    """The search; `SearchOptions` in `program.search.settings` explains the other keys.

    Attributes:
        name: `auto_evol` is ours, `paper` the algorithm as published: the same loop with other
            defaults (`program.search.settings.PAPER`); `gepa` and `miprov2` are DSPy's, under the
            same budget and records (`program.search.teleprompters`); `none` applies
            `evolve.methods` as they are.
        initial_method: A method's name or a file; null: the one in `evolve.methods`.
        storage: URL of an Optuna storage, such as `sqlite:///study.db`, that gets a copy of the
            study for optuna-dashboard.
        learn_from: Folders of finished runs with the same evolver, the best first. The methods that
            they chose are the first candidates of the search, as many as a step has; not for
            `gepa` and `miprov2`.
        then: `gepa`: when the steps or the patience of `auto_evol` are used up, `gepa` continues
            from the incumbent with the calls that are left of `max_calls`.
        on_no_gain: Which method is applied if the best one's failure rate on the held-out rows is
            no lower than the initial one's.
        check_accepted: Whether every accepted method is measured on the fresh and the held-out
            rows, too, when the search is over. It costs calls and changes no choice: a failure
            rate that falls on the dev rows alone was fitted to them. Without it those figures are
            shown that the search has anyway.
    """

    name: Literal["auto_evol", "paper", "gepa", "miprov2", "none"] = "auto_evol"
    initial_method: NameOrPath | None = None
    storage: str | None = None
    learn_from: list[LocalPath] = Field(default=[])
    then: Literal["gepa"] | None = None
    on_no_gain: Literal["keep_initial", "keep_best"] = "keep_initial"
    check_accepted: bool = False

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, tree: Any) -> Any:
        is_paper = isinstance(tree, dict) and tree.get("name") == "paper"
        return {**PAPER, **tree} if is_paper else tree

    @model_serializer(mode="wrap")
    def _name_first(self, serialise: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write the name before the settings that depend on it; inherited fields come first."""
        return {"name": self.name, **serialise(self)}

    @model_validator(mode="after")
    def _fits_the_name(self) -> Self:
        if self.learn_from and self.name not in ("auto_evol", "paper"):
            raise ValueError(f"learn_from is for auto_evol and paper, not for {self.name}")
        if self.then and self.name != "auto_evol":
            raise ValueError(f"then is for auto_evol, not for {self.name}")
        return self

    @field_validator("storage")
    @classmethod
    def _without_password(cls, url: str | None) -> str | None:
        if url and urlsplit(url).password:
            raise ValueError("holds a password, which would go into files; let the driver find it")
        return url

    @field_validator("temperatures")
    @classmethod
    def _rising(cls, bounds: tuple[float, float] | None) -> tuple[float, float] | None:
        if bounds and bounds[0] > bounds[1]:
            raise ValueError("must be a range [low, high]")
        return bounds
