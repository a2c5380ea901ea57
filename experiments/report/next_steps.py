"""What a user can do after a run: against its losses first, then with its rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from autoevol.experiments.artifacts.resume import CONFIG
from autoevol.experiments.files.paths import command_line
from autoevol.experiments.report.remedies import Config, Loss, losses

TOO_FEW = "too few rows to tell"


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do.

    Attributes:
        why: What the run shows; names of keys are in backquotes.
        command: That does it; "": there is no single one.
    """

    why: str
    command: str = ""


def next_steps(
    summary: Mapping[str, Any],
    folder: Path,
    config: Config = MappingProxyType({}),
    *,
    is_tracked: bool = True,
) -> list[NextStep]:
    """Return what to do after a run, the most useful first.

    Args:
        summary: The run's figures.
        folder: The run's.
        config: The run's, as the tree of its YAML; {}: it is not known.
        is_tracked: Whether MLflow has the run, or will have it.
    """
    if not summary["rounds"]:
        return [*_against_losses(summary, folder, config), _after_search(folder, config)]
    return [
        *_against_losses(summary, folder, config),
        *_with_rows(summary, folder, is_tracked=is_tracked),
    ]


def _after_search(folder: Path, config: Config) -> NextStep:
    best = folder / "methods" / "best.md"
    words: list[str | Path] = [
        "evolve",
        folder / CONFIG,
        "--method",
        best,
        "--out",
        f"{folder}-evolved",
    ]
    # The rows of the search may be a part of the data alone.
    is_part = (config.get("data") or {}).get("limit") is not None
    words += ["--set", "data.limit=null"] if is_part else []
    why = "Only the search ran. Evolve the whole set with the best method."
    return NextStep(why, command_line(*words))


def _against_losses(summary: Mapping[str, Any], folder: Path, config: Config) -> Iterator[NextStep]:
    by_remedy: dict[str, list[Loss]] = {}
    for loss in losses(summary, config):
        by_remedy.setdefault(loss.remedy, []).append(loss)
    for remedy, own in by_remedy.items():
        # One remedy may help against several rules.
        broken = "; ".join(
            f"{loss.rows:,} of {summary['rows_failed']:,} failed rows broke `{loss.rule}` "
            f"(stage {loss.stage}). {loss.meaning}".strip().removesuffix(".")
            for loss in own
        )
        yield NextStep(f"{broken}. {remedy}".strip())
    if summary["rows_unscored"]:
        yield NextStep(
            f"The calls of {summary['rows_unscored']:,} rows failed after all retries; "
            "`unscored.jsonl` says why.",
        )
    if summary.get("heldout_verdict") == TOO_FEW:
        yield NextStep(
            "The held-out rows are too few to tell the methods apart. More rows tell more: "
            "`data.dev_size`, `data.fresh_size`, `data.heldout_size`."
        )
    if summary.get("rows_suspected"):
        yield NextStep(
            f"{summary['rows_suspected']:,} kept rows resemble failures. Read some of them.",
            command_line("view", folder),
        )


def _with_rows(summary: Mapping[str, Any], folder: Path, *, is_tracked: bool) -> Iterator[NextStep]:
    if not summary["rows_out"]:
        yield NextStep("No row was kept. Look at a few replies.", command_line("view", folder))
        return
    if not summary.get("rows_suspected"):
        yield NextStep(
            "Read the rows, kept and lost, and mark them. `autoevol export` and `autoevol train` "
            "leave out those that you mark bad.",
            command_line("view", folder),
        )
    yield NextStep("Fine-tune a student on them.", command_line("train", folder, "--model", "NAME"))
    if is_tracked:
        yield NextStep("Compare this run with others in MLflow.", "autoevol ui")
