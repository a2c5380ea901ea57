"""`--only-config`: the same training as files for another trainer, for example on a cluster.

The data come as conversations, one a line, of which every answer is trained on; for TRL as prompts
and completions. Paths in the files are relative to their folder.
"""

import json
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml

from autoevol.experiments.config.train import TrainConfig
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.pretrained.adapters import is_adapter
from autoevol.experiments.training.examples import Example, Message
from autoevol.experiments.training.plan import TrainPlan
from autoevol.experiments.training.student import template_of
from autoevol.experiments.training.trainer import SCHEDULES
from autoevol.program.errors import ConfigError

TrainerName = Literal["llama_factory", "axolotl", "trl", "torchtune"]
_DATA, _NAME = "data.jsonl", "autoevol"
_OWN_TEMPLATE = "chat_template.jinja"
_WITHOUT_TEMPLATES = ("llama_factory", "torchtune")
"""Trainers that know templates by names of their own alone."""

_TEMPLATES = {
    "qwen3": "qwen3",
    "qwen": "qwen",
    "llama-3": "llama3",
    "llama-2": "llama2",
    "phi-4": "phi4",
    "gemma-3": "gemma3",
    "gemma-2": "gemma2",
    "gemma": "gemma",
    "mistral": "mistral",
    "exaone": "exaone",
}
"""LLaMA-Factory's names of chat templates, by a part of the model's name."""


def write_recipe(plan: TrainPlan, trainer: TrainerName) -> list[str]:
    """Write the files for a trainer into the plan's folder; return the command that starts it.

    Raises:
        ConfigError: The student is one that only AutoEvol has.
    """
    config = plan.config
    if config.model.startswith("local/"):
        raise ConfigError(
            f"{plan.where}: train.model", f"{config.model} is known here alone; name one of the hub"
        )
    if is_adapter(config.model):
        raise ConfigError(
            f"{plan.where}: train.model", f"{config.model} is a LoRA adapter; name a whole model"
        )
    if config.tokens:
        raise ConfigError(
            f"{plan.where}: train.tokens",
            "no other trainer counts them; train.rows takes so many rows",
        )
    if config.chat_template and trainer in _WITHOUT_TEMPLATES:
        raise ConfigError(f"{plan.where}: train.chat_template", f"{trainer} takes none from a file")
    plan.folder.mkdir(parents=True, exist_ok=True)
    rows = _pairs(plan.examples) if trainer == "trl" else _conversations(plan.examples)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    write_whole(plan.folder / _DATA, "".join(lines))
    if Path(config.model).is_dir():
        # The trainer is started in the folder, where the user's relative path leads nowhere.
        config = config.model_copy(update={"model": os.path.relpath(config.model, plan.folder)})
    if config.chat_template:
        write_whole(plan.folder / _OWN_TEMPLATE, template_of(config, plan.where))
    further = ", ".join(map(str, config.seeds[1:]))
    seeds = (
        [f"the files have seed {config.seeds[0]}; write others for {further}"] if further else []
    )
    return [*seeds, *_WRITERS[trainer](plan.folder, config)]


def _pairs(examples: Sequence[Example]) -> list[dict[str, Any]]:
    return [example.as_dict() for example in examples]


def _conversations(examples: Sequence[Example]) -> list[dict[str, Any]]:
    """Return the longest conversation of each row: its last answer has the others before it."""
    last: dict[str, list[Message]] = {}
    for example in examples:
        answer = {"role": "assistant", "content": example.completion}
        messages = [*example.prompt, answer]
        if len(messages) > len(last.get(example.row, [])):
            last[example.row] = messages
    return [{"messages": messages} for messages in last.values()]


def _llama_factory(folder: Path, config: TrainConfig) -> list[str]:
    lora = {"lora_rank": config.rank, "lora_alpha": config.alpha, "lora_target": "all"}
    tree = {
        "model_name_or_path": config.model,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": config.method,
        **(lora if config.method == "lora" else {}),
        "dataset": _NAME,
        "dataset_dir": ".",
        **_template(config.model),
        "cutoff_len": config.max_length,
        "packing": config.packing,
        "output_dir": "model",
        "logging_steps": 1,
        "save_strategy": "epoch",
        "save_total_limit": 1,
        **_shared(config),
        "warmup_ratio": config.warmup,
        "bf16": True,
        "seed": config.seeds[0],
    }
    roles = {"role_tag": "role", "content_tag": "content", "user_tag": "user"}
    roles |= {"assistant_tag": "assistant", "system_tag": "system"}
    columns = {"messages": "messages"}
    entry = {"file_name": _DATA, "formatting": "sharegpt", "columns": columns, "tags": roles}
    _write_json(folder / "dataset_info.json", {_NAME: entry})
    return _written(folder, "llama_factory.yaml", tree, "llamafactory-cli train {}")


def _shared(config: TrainConfig) -> dict[str, Any]:
    """Return the settings that LLaMA-Factory and TRL name alike, as transformers does."""
    return {
        "learning_rate": config.lr,
        "num_train_epochs": config.epochs,
        "lr_scheduler_type": SCHEDULES.get(config.schedule, config.schedule),
        "weight_decay": config.weight_decay,
        "per_device_train_batch_size": config.micro_batch,
        "gradient_accumulation_steps": config.batch // config.micro_batch,
    }


def _template(model: str) -> dict[str, str]:
    """Return the key of a template; {}: LLaMA-Factory takes the one of the tokenizer."""
    # Of a path only the last part: the folders above it say nothing of the model.
    name = model.rpartition("/")[2].lower()
    template = next((value for part, value in _TEMPLATES.items() if part in name), "")
    return {"template": template} if template else {}


def _axolotl(folder: Path, config: TrainConfig) -> list[str]:
    data = {
        "path": _DATA,
        "ds_type": "json",
        "type": "chat_template",
        "field_messages": "messages",
        "roles_to_train": ["assistant"],
        **(
            {"chat_template": "jinja", "chat_template_jinja": _OWN_TEMPLATE}
            if config.chat_template
            else {}
        ),
    }
    lora = {
        "adapter": "lora",
        "lora_r": config.rank,
        "lora_alpha": config.alpha,
        "lora_target_linear": True,
    }
    tree = {
        "base_model": config.model,
        "datasets": [data],
        **(lora if config.method == "lora" else {}),
        "sequence_len": config.max_length,
        "excess_length_strategy": "truncate",
        "sample_packing": config.packing,
        "micro_batch_size": config.micro_batch,
        "gradient_accumulation_steps": config.batch // config.micro_batch,
        "num_epochs": config.epochs,
        "learning_rate": config.lr,
        "lr_scheduler": SCHEDULES.get(config.schedule, config.schedule),
        "warmup_ratio": config.warmup,
        "weight_decay": config.weight_decay,
        "optimizer": "adamw_torch",
        "bf16": "auto",
        "output_dir": "model",
        "seed": config.seeds[0],
    }
    return _written(folder, "axolotl.yaml", tree, "axolotl train {}")


def _trl(folder: Path, config: TrainConfig) -> list[str]:
    lora = {
        "use_peft": True,
        "lora_r": config.rank,
        "lora_alpha": config.alpha,
        "lora_target_modules": "all-linear",
    }
    tree = {
        "model_name_or_path": config.model,
        "datasets": [{"path": "json", "data_files": _DATA}],
        **(lora if config.method == "lora" else {}),
        "max_length": config.max_length,
        **({"chat_template_path": _OWN_TEMPLATE} if config.chat_template else {}),
        "packing": config.packing,
        "completion_only_loss": True,
        **_shared(config),
        # In transformers 5 a number below 1 is a share of the steps.
        "warmup_steps": config.warmup,
        "bf16": True,
        "output_dir": "model",
        "seed": config.seeds[0],
    }
    return _written(folder, "trl.yaml", tree, "trl sft --config {}")


def _torchtune(folder: Path, config: TrainConfig) -> list[str]:
    """Write what to put over one of torchtune's own recipes, which name a model's parts."""
    lora = {"lora_rank": config.rank, "lora_alpha": config.alpha}
    tree = {
        "dataset": {
            "_component_": "torchtune.datasets.chat_dataset",
            "source": "json",
            "data_files": _DATA,
            "conversation_column": "messages",
            "conversation_style": "openai",
            "train_on_input": False,
            "packed": config.packing,
        },
        "batch_size": config.micro_batch,
        "gradient_accumulation_steps": config.batch // config.micro_batch,
        "epochs": max(1, round(config.epochs)),
        "optimizer": {"lr": config.lr, "weight_decay": config.weight_decay},
        **({"model": lora} if config.method == "lora" else {}),
        "tokenizer": {"max_seq_len": config.max_length},
        "output_dir": "model",
        "seed": config.seeds[0],
    }
    recipe = (
        "lora_finetune_single_device" if config.method == "lora" else "full_finetune_single_device"
    )
    command = f"tune run {recipe} --config RECIPE {_overrides(tree)}"
    _written(folder, "torchtune.yaml", tree, "")
    return [
        f"`tune ls` shows the RECIPE of {config.model}, which names its files; then",
        f"schedule ({config.schedule}, warm-up {config.warmup:g}) is the recipe's own, too; epochs "
        f"are whole ({config.epochs:g} asked)",
        f"cd {shlex.quote(str(folder))} && {command}",
    ]


def _overrides(tree: Mapping[str, Any], at: str = "") -> str:
    parts = [
        _overrides(value, f"{at}{key}.") if isinstance(value, dict) else f"{at}{key}={value}"
        for key, value in tree.items()
    ]
    return " ".join(parts)


def _written(folder: Path, name: str, tree: Mapping[str, Any], command: str) -> list[str]:
    write_whole(folder / name, yaml.safe_dump(dict(tree), sort_keys=False))
    return [f"cd {shlex.quote(str(folder))} && {command.format(name)}"]


def _write_json(file: Path, value: Any) -> None:
    write_whole(file, json.dumps(value, indent=2) + "\n")


_WRITERS: dict[TrainerName, Callable[[Path, TrainConfig], list[str]]] = {
    "llama_factory": _llama_factory,
    "axolotl": _axolotl,
    "trl": _trl,
    "torchtune": _torchtune,
}
