"""The section `evaluate`: how a model is evaluated (`autoevol evaluate`, `autoevol study`)."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from autoevol.experiments.config.errors import checked
from autoevol.experiments.config.models import checked_url
from autoevol.experiments.config.section import LocalPath, Section
from autoevol.program.bounds import Count


class EvaluateConfig(Section):
    """How a model is evaluated; it always takes the likeliest token.

    Attributes:
        tasks: Names of tasks, as docs/train.md lists them; `checks:FILE`, `loss:FILE`
            and `open:FILE` for files of one's own, `lm_eval:NAME` for the harness.
        limit: Questions of each task, drawn once (of a group of the harness, of each task in it);
            null: all.
        max_tokens: Of an answer.
        batch: Conversations that a model in this process answers together.
        chat_template: A file with the template, for a model that has none; null: its own.
        api_base: Address of an endpoint; null: the provider's.
        api_key_env: Name of the environment variable with its key.
        sandbox: Where code of answers and checks runs: "auto" is Monty, and bubblewrap for what
            Monty does not support.
        harness_tasks: A folder of task files of one's own, for `lm_eval:NAME`; null: none.
        harness_chat: Put the harness's prompts into the model's chat template.
    """

    tasks: Annotated[tuple[str, ...], Field(min_length=1)] = ("ifeval",)
    limit: Count | None = None
    max_tokens: Annotated[int, Field(ge=1, le=100_000)] = 512
    batch: Count = 8
    chat_template: LocalPath | None = None
    api_base: str | None = None
    api_key_env: str | None = None
    sandbox: Literal["auto", "monty", "bwrap"] = "auto"
    harness_tasks: str | None = None
    harness_chat: bool = False

    @field_validator("api_base")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url)

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.tasks)) < len(self.tasks):
            raise ValueError("tasks names one twice")
        return self


class EvaluateFile(Section):
    """The one section that `autoevol evaluate` reads.

    Attributes:
        evaluate: See `EvaluateConfig`.
    """

    evaluate: EvaluateConfig = EvaluateConfig()


def evaluate_config(tree: dict[str, Any], where: Path) -> EvaluateConfig:
    """Return the settings in a tree of keys.

    Raises:
        ConfigError: Names the file and the key.
    """
    return checked(EvaluateFile, tree, where).evaluate
