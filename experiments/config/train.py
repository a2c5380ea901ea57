"""The section `train`: how a student model is fine-tuned on a set of rows."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from autoevol.experiments.config.errors import checked
from autoevol.experiments.config.section import LocalPath, Section, with_preset
from autoevol.program.bounds import Count

Share = Annotated[float, Field(ge=0, le=1)]
PresetName = Literal["slm", "evol-teacher", "paper"]

PRESETS: dict[PresetName, dict[str, Any]] = {
    # HypherX/Evolution-Analysis, by LLaMA-Factory: 8 devices of one example, 8 steps each.
    "slm": {
        "method": "full",
        "lr": 2e-5,
        "epochs": 3.0,
        "batch": 64,
        "schedule": "cosine",
        "warmup": 0.03,
        "max_length": 2048,
    },
    # `train.py` of evol-teacher, as its README calls it.
    "evol-teacher": {
        "method": "full",
        "lr": 2e-5,
        "epochs": 3.0,
        "batch": 8,
        "schedule": "cosine",
        "warmup": 0.03,
        "max_length": 2000,
    },
    # Auto Evol-Instruct (arXiv 2406.00770, section 4.1): Mistral-7B on instruction following.
    "paper": {
        "method": "full",
        "lr": 5e-6,
        "epochs": 4.0,
        "batch": 128,
        "schedule": "cosine",
        "warmup": 0.03,
        "max_length": 2048,
    },
}
"""Settings of the published systems, by name."""

PRESET_KEYS = frozenset(key for preset in PRESETS.values() for key in preset)
"""Keys that a preset sets."""


class TrainConfig(Section):
    """How a student is fine-tuned (`autoevol train`); only answers count in the loss.

    Attributes:
        preset: A published system, whose numbers hold where the section names none; null: ours.
        model: The student: a folder, a name of the hub, or `local/NAME` of the shipped weights. The
            folder of a LoRA adapter is trained on, with its own rank and scale.
        method: "lora" trains small matrices beside the weights (PEFT), "full" all weights.
        lr: The largest learning rate.
        epochs: Passes over the examples.
        schedule: Of the learning rate, after the warm-up.
        warmup: Share of the steps in which the rate rises.
        weight_decay: Of AdamW.
        batch: Examples of a step.
        micro_batch: Examples in memory at once, a divisor of `batch`; fewer need less memory.
        max_length: Tokens of an example, no more than the student reads at once; a longer one is
            cut at its end.
        packing: Several short examples fill one of `max_length` tokens.
        rank: Of the small matrices.
        alpha: Their scale.
        seeds: A training each.
        rows: Train on so many rows, drawn once; null: on all.
        tokens: Train on answers of so many tokens together at most, in that order; null: no bound.
        chat_template: A file with the template, for a student that has none; null: its own.
        checkpoints: Checkpoints a training; a killed one resumes from the last.
    """

    preset: PresetName | None = None
    model: str = "local/smollm2-135m-instruct"
    method: Literal["lora", "full"] = "lora"
    lr: Annotated[float, Field(gt=0, le=1)] = 2e-4
    epochs: Annotated[float, Field(gt=0, le=1000)] = 1.0
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: Share = 0.03
    weight_decay: Share = 0.0
    batch: Count = 8
    micro_batch: Count = 1
    max_length: Annotated[int, Field(ge=16, le=1_000_000)] = 1024
    packing: bool = False
    rank: Annotated[int, Field(ge=1, le=1024)] = 16
    alpha: Annotated[int, Field(ge=1, le=4096)] = 32
    seeds: Annotated[tuple[Annotated[int, Field(ge=0, le=2**31)], ...], Field(min_length=1)] = (0,)
    rows: Count | None = None
    tokens: Count | None = None
    chat_template: LocalPath | None = None
    checkpoints: Annotated[int, Field(ge=0, le=1000)] = 4

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, tree: Any) -> Any:
        return with_preset(tree, PRESETS)

    @model_validator(mode="after")
    def _whole_steps(self) -> Self:
        if self.batch % self.micro_batch:
            raise ValueError(
                f"micro_batch is {self.micro_batch}, which does not divide batch, {self.batch}"
            )
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds names one twice")
        return self


class TrainFile(Section):
    """The one section that `autoevol train` reads of a config.

    Attributes:
        train: See `TrainConfig`.
    """

    train: TrainConfig = TrainConfig()


def train_config(tree: dict[str, Any], where: Path) -> TrainConfig:
    """Return the settings in a tree of keys.

    Raises:
        ConfigError: Names the file and the key.
    """
    return checked(TrainFile, tree, where).train
