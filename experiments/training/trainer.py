"""One training of a student, by TRL: only answers count in the loss; a killed one resumes."""

import contextlib
import io
import logging
import math
import resource
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autoevol.experiments.config.train import TrainConfig
from autoevol.experiments.pretrained.adapters import name_base
from autoevol.experiments.pretrained.free_memory import within_free_memory
from autoevol.experiments.pretrained.memory import memory_errors
from autoevol.experiments.training.examples import Example
from autoevol.experiments.training.plan import CHECKPOINTS
from autoevol.experiments.training.student import Student
from autoevol.program.errors import ConfigError

EXTRA = "pip install 'autoevol[train]'"
MODEL = "model"
SCHEDULES = {"constant": "constant_with_warmup"}
"""Schedules that transformers calls otherwise, where there is a warm-up."""
_BF16_INSTRUCTIONS = ("amx_tile", "avx512_bf16")


@dataclass(frozen=True, slots=True)
class Training:
    """What one training is made with.

    Attributes:
        seed: Of the order, of dropout and of LoRA's first values.
        folder: Gets the checkpoints and the model.
        where: The config's file, or that of the rows, for messages.
    """

    config: TrainConfig
    seed: int
    folder: Path
    where: str


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What one training came to.

    Attributes:
        seed: Of the training.
        steps: Updates of the weights.
        losses: Mean loss of the answers' tokens at each step, from the first step on; lower is
            better.
        tokens: Read in training, prompts included, this try's.
        seconds: This try took.
        memory_mib: The largest memory of this process so far, or of the GPU.
        is_bf16: Whether it computed in bfloat16.
        no_room: Answers that are not learnt, since their prompts leave no room in `max_length`.
        cut: Answers whose end is not learnt, for the same reason.
    """

    seed: int
    steps: int
    losses: tuple[float, ...]
    tokens: int
    seconds: float
    memory_mib: int
    is_bf16: bool
    no_room: int = 0
    cut: int = 0


def check_libraries(where: str) -> None:
    """Return if TRL and PEFT are there.

    Raises:
        ConfigError: They are not.
    """
    try:
        import peft  # noqa: F401
        import trl  # noqa: F401
    except ImportError as error:
        raise ConfigError(where, f"training needs trl and peft: {EXTRA}") from error


def steps_of(config: TrainConfig, examples: int) -> int:
    """Return how many steps a training takes; packed, several rows are one example."""
    return max(1, math.ceil(math.ceil(examples / config.batch) * config.epochs))


def train(
    student: Student,
    examples: Sequence[Example],
    training: Training,
    on_step: Callable[[], None],
) -> TrainingResult:
    """Train the student and save it in `folder/model`; continue from a checkpoint if there is one.

    Args:
        student: It is changed.
        examples: In any order; the seed draws another.
        training: Its settings.
        on_step: Called after each step.

    Raises:
        ConfigError: The memory does not suffice.
    """
    checkpoints = training.folder / CHECKPOINTS
    started = time.monotonic()
    with _quiet(), _memory_errors(training), within_free_memory():
        trainer = _trainer(student, examples, training, on_step)
        trainer.train(resume_from_checkpoint=_last_whole(checkpoints))
        _save(trainer, student, training.folder / MODEL)
    result = _result(trainer, training.seed, time.monotonic() - started)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return result


def _last_whole(checkpoints: Path) -> str | None:
    """Return the last checkpoint that was written whole: its state is written last."""
    states = checkpoints.glob("checkpoint-*/trainer_state.json")
    whole = {int(state.parent.name.rpartition("-")[2]): str(state.parent) for state in states}
    return whole[max(whole)] if whole else None


def _trainer(
    student: Student,
    examples: Sequence[Example],
    training: Training,
    on_step: Callable[[], None],
) -> Any:
    import datasets
    from transformers import TrainerCallback
    from trl import SFTTrainer

    config, is_adapted = training.config, student.base != training.config.model

    class OnStep(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            on_step()

    trainer = SFTTrainer(
        model=student.model,
        args=_arguments(training, student),
        train_dataset=datasets.Dataset.from_list([example.as_dict() for example in examples]),
        processing_class=student.tokenizer,
        # TRL would put a new adapter in the place of one that is there.
        peft_config=None if is_adapted or config.method == "full" else _lora(config),
        callbacks=[OnStep()],
    )
    # Packed examples are fewer, and their number is known only now.
    for name, value in _steps(config, len(trainer.train_dataset)).items():
        setattr(trainer.args, name, value)
    return trainer


def _arguments(training: Training, student: Student) -> Any:
    import torch
    from trl import SFTConfig

    config, has_gpu = training.config, torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(training.folder / CHECKPOINTS),
        per_device_train_batch_size=config.micro_batch,
        gradient_accumulation_steps=_accumulation(training, max(1, torch.cuda.device_count())),
        num_train_epochs=config.epochs,
        learning_rate=config.lr,
        lr_scheduler_type=SCHEDULES.get(config.schedule, config.schedule),
        weight_decay=config.weight_decay,
        max_length=student.max_length,
        packing=config.packing,
        completion_only_loss=True,
        seed=training.seed,
        data_seed=training.seed,
        bf16=has_bf16(),
        use_cpu=not has_gpu,
        # It saves memory for a third more time, which only a large model needs.
        activation_checkpointing=has_gpu,
        dataloader_pin_memory=has_gpu,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps" if config.checkpoints else "no",
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
    )


def _steps(config: TrainConfig, examples: int) -> dict[str, int]:
    """Return the arguments that count steps: of the warm-up, and between checkpoints."""
    steps = steps_of(config, examples)
    return {
        # Rounded down: the first step of a warm-up changes nothing, and a training may have one.
        "warmup_steps": math.floor(config.warmup * steps),
        "save_steps": max(1, math.ceil(steps / (config.checkpoints + 1))),
    }


def _accumulation(training: Training, devices: int) -> int:
    """Return how often each device computes before a step, so that a step has `batch` examples.

    Raises:
        ConfigError: They cannot be shared out.
    """
    config = training.config
    if config.batch % (config.micro_batch * devices):
        raise ConfigError(
            f"{training.where}: train.batch",
            f"{config.batch} examples in parts of {config.micro_batch} cannot be shared out to "
            f"{devices} GPUs; CUDA_VISIBLE_DEVICES=0 takes one",
        )
    return config.batch // (config.micro_batch * devices)


def has_bf16() -> bool:
    """Tell whether this machine computes in bfloat16 faster than in single precision."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    # Without these instructions a CPU does it in software.
    tests = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in _BF16_INSTRUCTIONS)
    return any(test() for test in tests if test)


def _lora(config: TrainConfig) -> Any:
    from peft import LoraConfig

    return LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def _save(trainer: Any, student: Student, folder: Path) -> None:
    """Save the model whole: a kill leaves none, or all of it."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    trainer.save_model(str(part))
    student.tokenizer.save_pretrained(str(part))
    name_base(part, student.base)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def _result(trainer: Any, seed: int, seconds: float) -> TrainingResult:
    history = trainer.state.log_history
    losses = [float(entry["loss"]) for entry in history if "loss" in entry]
    tokens = [float(entry["num_tokens"]) for entry in history if "num_tokens" in entry]
    return TrainingResult(
        seed=seed,
        steps=trainer.state.global_step,
        losses=tuple(losses),
        tokens=int(max(tokens, default=0)),
        seconds=round(seconds, 1),
        memory_mib=_memory_mib(),
        is_bf16=bool(trainer.args.bf16),
    )


def _memory_mib() -> int:
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated() >> 20)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak >> 20 if sys.platform == "darwin" else peak >> 10)


def _memory_errors(training: Training) -> contextlib.AbstractContextManager[None]:
    config = training.config
    fewer = config.micro_batch // 2
    advice = (
        f"try train.micro_batch={fewer}"
        if fewer and config.batch % fewer == 0
        else f"try train.max_length={max(16, config.max_length // 2)}, or method: lora"
    )
    key = f"{training.where}: train.micro_batch"
    return memory_errors(key, f"{config.micro_batch} takes too much memory; {advice}")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide what the libraries print: the bar and the end of the command say what matters."""
    import datasets
    from transformers.utils import logging as logs

    shown, level = datasets.are_progress_bars_disabled(), logs.get_verbosity()
    datasets.disable_progress_bars()
    logs.set_verbosity_error()
    logs.disable_progress_bar()
    logging.getLogger("trl").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logs.set_verbosity(level)
        logs.enable_progress_bar()
        if not shown:
            datasets.enable_progress_bars()
