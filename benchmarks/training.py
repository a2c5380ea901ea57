"""Training against a plain TRL script of the same settings: `python -m benchmarks.training`.

Both fine-tune SmolLM2-135M by LoRA on the same rows, one after the other in processes of their own,
in turns. Printed: tokens a second from the trainer's construction to the saved model, and memory.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from autoevol.experiments.config.train import TrainConfig
from autoevol.experiments.training.examples import read_examples
from autoevol.experiments.training.student import Student, open_student, readable
from autoevol.experiments.training.trainer import Training, has_bf16, train

ROWS = Path(__file__).resolve().parents[1] / "data" / "solvable_en.jsonl"
CONFIG = TrainConfig(batch=8, micro_batch=4, checkpoints=0)
ROLES = ("ours", "plain")


def main() -> None:
    """Run both in turns and print the figures, or one of them in this process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--role", choices=ROLES)
    options = parser.parse_args()
    if options.role:
        sys.stdout.write(json.dumps(measure(options.role, options.rows)) + "\n")
        return
    console = Console()
    runs: dict[str, list[dict[str, Any]]] = {role: [] for role in ROLES}
    for _ in range(options.repeats):
        for role in ROLES:
            runs[role].append(_in_a_process(role, options.rows))
    for role, own in runs.items():
        rates = ", ".join(f"{run['tokens_per_s']:.0f}" for run in own)
        console.print(f"{role}: tokens/s {rates}; peak {max(run['memory_mib'] for run in own)} MiB")
    ratio = median(
        mine["tokens_per_s"] / other["tokens_per_s"]
        for mine, other in zip(runs["ours"], runs["plain"], strict=True)
    )
    console.print(f"ours / plain, median of pairs: {ratio:.2f}")


def _in_a_process(role: str, rows: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.training", "--role", role, "--rows", str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def measure(role: str, rows: int) -> dict[str, Any]:
    """Return tokens a second and peak memory of one training in this process."""
    examples = read_examples(ROWS).examples[:rows]
    student = open_student(CONFIG, "benchmark")
    tokens = sum(readable(student, examples, "benchmark").tokens)
    dicts = [example.as_dict() for example in examples]
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        if role == "ours":
            train(student, examples, Training(CONFIG, 0, Path(folder), "x"), lambda: None)
        else:
            _plain(student, dicts, folder)
        seconds = time.monotonic() - started
    return {"tokens_per_s": tokens / seconds, "memory_mib": _memory_mib()}


def _plain(student: Student, rows: list[dict[str, Any]], folder: str) -> None:
    """Train as the documentation of TRL shows it."""
    import datasets
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    arguments = SFTConfig(
        output_dir=folder,
        per_device_train_batch_size=CONFIG.micro_batch,
        gradient_accumulation_steps=CONFIG.batch // CONFIG.micro_batch,
        num_train_epochs=CONFIG.epochs,
        learning_rate=CONFIG.lr,
        max_length=CONFIG.max_length,
        completion_only_loss=True,
        bf16=has_bf16(),
        use_cpu=True,
        activation_checkpointing=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = SFTTrainer(
        model=student.model,
        args=arguments,
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=student.tokenizer,
        peft_config=LoraConfig(
            r=CONFIG.rank,
            lora_alpha=CONFIG.alpha,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )
    trainer.train()
    trainer.save_model(folder)


def _memory_mib() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


if __name__ == "__main__":
    main()
