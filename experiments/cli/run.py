"""`autoevol run`, `optimize`, `evolve`, `preview` and `continue`: check a config and run it.

Modules that load DSPy are imported when a command runs, so that its help and the message about a
mistyped option appear at once.
"""

import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from autoevol.experiments.cli.app import STOPPED_EARLY
from autoevol.experiments.config.shipped import config_file, is_shipped, recorded_beside
from autoevol.experiments.run.request import RunRequest
from autoevol.experiments.terminal.arguments import path_of
from autoevol.experiments.terminal.console import complain, console, say, say_at

if TYPE_CHECKING:
    from autoevol.experiments.config.experiment import ExperimentConfig
    from autoevol.experiments.run.planning.expectation import CostEstimate
    from autoevol.experiments.run.planning.plan import Plan
    from autoevol.experiments.verification.planning import VerificationPlan

app = typer.Typer(add_completion=False)

_SIZES = ("train_size", "dev_size", "heldout_size", "fresh_size", "limit")
_HOSTED_TOKENS = 2048
"""Of a reply, as in the published systems."""

ConfigFile = Annotated[
    Path,
    typer.Argument(
        help="A YAML file, or a shipped config such as koevol.", callback=path_of("CONFIG")
    ),
]
DataFile = Annotated[
    str | None, typer.Option("--data", metavar="PATH", help="Your data, instead of the config's.")
]
ModelName = Annotated[
    str | None, typer.Option("--model", metavar="NAME", help="A litellm name, for every role.")
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY.SUB=VALUE", help="Override a key.")
]
OutFolder = Annotated[
    Path | None, typer.Option("--out", help="Replaces output.dir.", callback=path_of("--out"))
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="A small trial: N rows, 2 steps, 2 candidates.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Start again; the old folder is kept.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check everything, print the plan, stop.")]
Force = Annotated[
    bool, typer.Option("--force", help="Search even if too few rows fail to detect a gain.")
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Start a run that costs money without a question.")
]
Show = Annotated[bool, typer.Option("--show", help="Show a finished row now and then.")]


@app.command()
def run(
    config: ConfigFile,
    data: DataFile = None,
    model: ModelName = None,
    overrides: Overrides = None,
    out: OutFolder = None,
    limit: Limit = None,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    force: Force = False,
    yes: Yes = False,
    show: Show = False,
) -> None:
    """Search for the best method and evolve the whole set with it."""
    chosen = [*_own(config, data, model), *(overrides or []), *_forced(force)]
    _run(RunRequest("all", config_file(config), chosen, out, limit, fresh, dry_run, yes, show))


@app.command()
def optimize(
    config: ConfigFile,
    data: DataFile = None,
    model: ModelName = None,
    overrides: Overrides = None,
    out: OutFolder = None,
    limit: Limit = None,
    fresh: Fresh = False,
    force: Force = False,
    yes: Yes = False,
    show: Show = False,
) -> None:
    """Search only: leave the best method in the run's folder."""
    chosen = [*_own(config, data, model), *(overrides or []), *_forced(force)]
    _run(RunRequest("search", config_file(config), chosen, out, limit, fresh, yes=yes, show=show))


@app.command()
def evolve(
    config: ConfigFile,
    method: Annotated[
        Path | None,
        typer.Option(
            "--method",
            help="A method file, for example methods/best.md.",
            callback=path_of("--method"),
        ),
    ] = None,
    data: DataFile = None,
    model: ModelName = None,
    overrides: Overrides = None,
    out: OutFolder = None,
    limit: Limit = None,
    fresh: Fresh = False,
    yes: Yes = False,
    show: Show = False,
) -> None:
    """Apply only: evolve the whole set with the config's methods, or with a file's."""
    # The override is read as YAML, which takes JSON's quotes: a path may hold a comma or a bracket.
    applied = f"evolve.methods=[{json.dumps(str(method))}]"
    # A config has methods or a schedule, not both, so the file's method clears a schedule.
    extra = [applied, "evolve.schedule=[]"] if method else []
    # The last override of a key wins, so that `--set` cannot bring back a search or methods.
    own = _own(config, data, model)
    chosen = [*own, *(overrides or []), "optimizer.name=none", *extra]
    _run(RunRequest("apply", config_file(config), chosen, out, limit, fresh, yes=yes, show=show))


@app.command()
def preview(
    config: ConfigFile,
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many seeds.")] = 3,
    data: DataFile = None,
    model: ModelName = None,
    overrides: Overrides = None,
    out: OutFolder = None,
) -> None:
    """Show a few rows before and after, with F's verdicts; the run does not pay them again."""
    chosen = [*_own(config, data, model), *(overrides or [])]
    _stoppable(lambda: _preview(RunRequest("all", config_file(config), chosen, out), rows))


@app.command("continue")
def continue_run(
    folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", callback=path_of("RUN_FOLDER"))],
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How many more.")] = 1,
    overrides: Overrides = None,
    out: OutFolder = None,
    limit: Limit = None,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    show: Show = False,
) -> None:
    """Evolve the rows of a finished run further, in a folder beside it."""
    from autoevol.experiments.artifacts.continued import continued_tree
    from autoevol.experiments.artifacts.resume import CONFIG
    from autoevol.experiments.config.loading import overridden

    tree = overridden(continued_tree(folder, rounds), overrides or [])
    request = RunRequest("apply", folder / CONFIG, (), out, limit, fresh, dry_run, yes, show)
    _stoppable(lambda: _run_one(request, tree))


def _preview(request: RunRequest, rows: int) -> None:
    from autoevol.experiments.artifacts.resume import config_for_folder
    from autoevol.experiments.cli.tables import show_preview
    from autoevol.experiments.config.loading import tree_of
    from autoevol.experiments.run.command import checked_plan
    from autoevol.experiments.run.planning.notes import recognised_lines
    from autoevol.experiments.run.preview import preview as previewed
    from autoevol.experiments.terminal.console import quiet_libraries

    tree = tree_of(request.file, request.overrides)
    plan = checked_plan(config_for_folder(tree, request.file, out=request.out), request)
    for line in recognised_lines(plan):
        say(line)
    quiet_libraries()
    show_preview(previewed(plan, rows, say))


def _run(request: RunRequest) -> None:
    # What checks a config takes seconds to load.
    say_at(f"checking {request.file}")
    _stoppable(lambda: run_config(request))


def _stoppable(work: Callable[[], None]) -> None:
    try:
        work()
    except (KeyboardInterrupt, typer.Abort) as error:
        complain("stopped; the same command resumes")
        raise typer.Exit(STOPPED_EARLY) from error


def _own(config: Path, data: str | None, model: str | None) -> list[str]:
    """Return the overrides for a user's own data and model.

    Other data has neither the columns that the config filters by nor its number of rows. What the
    shipped configs allow a small model in this process is too short for a hosted one's replies.
    """
    from autoevol.experiments.config.experiment import EVOLVING
    from autoevol.experiments.config.loading import read_yaml
    from autoevol.experiments.config.scoring.scores import STRONG

    shipped = is_shipped(config_file(config))
    overrides = []
    if model:
        tree = read_yaml(config_file(config)).get("models")
        models = tree if isinstance(tree, dict) else {}
        # A role without a model of its own has the evolver's, with its address and limits. The weak
        # solver stays: it is to be weaker than the user's model.
        named = [role for role in (*EVOLVING, STRONG) if _names_model(models.get(role))]
        for role in dict.fromkeys(("evolver", *named)):
            overrides.append(f"models.{role}.model={json.dumps(model)}")
        if shipped and not model.startswith("local/"):
            roles = dict.fromkeys((*EVOLVING, *named))
            overrides += [f"models.{role}.max_tokens={_HOSTED_TOKENS}" for role in roles]
    if data is not None:
        overrides += [f"data.path={json.dumps(data)}", "data.where={}"]
        overrides += [f"data.{size}=null" for size in _SIZES if shipped]
    return overrides


def _names_model(role: Any) -> bool:
    """Tell whether the section of a role, as a file has it, names a model."""
    return isinstance(role, str) or (isinstance(role, dict) and "model" in role)


def _forced(force: bool) -> list[str]:
    return ["optimizer.headroom=false"] if force else []


def run_config(request: RunRequest) -> None:
    """Check a config and run it: one run, or a matrix of runs.

    Raises:
        ConfigError: The user must change something; nothing is written.
        StoppedError: A run stopped early; the same command resumes.
    """
    from autoevol.experiments.config.loading import MATRIX, tree_of

    tree = tree_of(request.file, request.overrides)
    if tree.get(MATRIX) is None:
        _run_one(request, tree)
        return
    from autoevol.experiments.matrix.run import run_matrix

    run_matrix(request, tree, partial(confirm, yes=request.yes))


def _run_one(request: RunRequest, tree: dict[str, Any]) -> None:
    from autoevol.experiments.artifacts.resume import config_for_folder
    from autoevol.experiments.cli.tables import remainder, show_summary
    from autoevol.experiments.export.writers import export_finished
    from autoevol.experiments.run.command import checked_plan, finished, perform
    from autoevol.experiments.run.planning.estimate import estimate
    from autoevol.experiments.tracking.again import track_later
    from autoevol.experiments.tracking.config import SETTINGS_FILE, load_tracking

    config = config_for_folder(
        tree, request.file, out=request.out, limit=request.limit, fresh=request.fresh
    )
    plan = checked_plan(config, request)
    verification = _verification(config, request)
    _say_notes(plan)
    tracking = load_tracking()
    summary = None if request.dry_run else finished(plan, request)
    if summary:
        # A finished run may be given other `output` keys: their exports need no call.
        export_finished(plan.config, plan.splits.seeds, summary, say)
        summary = track_later(plan.config.folder, summary, tracking, say)
        show_summary(summary, plan.config.folder)
    elif request.dry_run:
        _show_all(plan, verification)
        say(tracking.description if tracking else f"not tracked: no {SETTINGS_FILE} here")
    else:
        if rest := remainder(estimate(plan)):
            say(f"{plan.config.folder} has begun: {rest}")
        confirm([plan], lambda: _show_all(plan, verification), yes=request.yes)
        summary = perform(plan, request)
        show_summary(summary, plan.config.folder)
        if note := recorded_beside(request.file):
            say(f"\n{note}")
    if summary and request.scope != "search":
        _finish(plan, verification, summary)


def _say_notes(plan: "Plan") -> None:
    from autoevol.experiments.run.planning.notes import notes, recognised_lines

    for line in (*recognised_lines(plan), *notes(plan)):
        say(line)


def _finish(plan: "Plan", verification: "VerificationPlan | None", summary: dict[str, Any]) -> None:
    """Make the verified set, where one is asked for, and hold the rows against their target."""
    from autoevol.experiments.run.command import check_target

    if verification:
        _verify(verification, summary)
    check_target(plan, summary)


def _verification(config: "ExperimentConfig", request: RunRequest) -> "VerificationPlan | None":
    """Return the plan of the stages that follow the run; None: it has none."""
    if config.verify is None or request.scope == "search":
        return None
    from autoevol.experiments.verification.planning import plan_of
    from autoevol.experiments.verification.verified_run import check_tools

    plan = plan_of(
        config, request.file, allow_unsandboxed=False, in_a_run=True, limit=request.limit
    )
    check_tools(plan)
    return plan


def _show_all(plan: "Plan", verification: "VerificationPlan | None") -> None:
    """Show what a run will make, and the calls of the stages that follow it."""
    from autoevol.experiments.cli.tables import show_plan

    show_plan(plan)
    if verification:
        from autoevol.experiments.verification.planning import calls_of

        say("then verified data, `verify`:")
        console.print(calls_of(verification))


def _verify(verification: "VerificationPlan", summary: dict[str, Any]) -> None:
    """Join the rows that the run kept with constraints, in the nine stages."""
    from autoevol.experiments.cli.checks.verify import make_set
    from autoevol.experiments.verification.planning import on_evolved_rows

    plan = on_evolved_rows(verification)
    if plan.queries:
        make_set(plan, summary["mlflow_run_id"])
    else:
        say("verify: the run kept no single instruction to join constraints with")


def confirm(plans: "Sequence[Plan]", show: Callable[[], None], *, yes: bool) -> None:
    """Show the plans and ask before money is spent, if the terminal is interactive."""
    from autoevol.experiments.run.planning.estimate import estimate

    costs = [cost for plan in plans for cost in estimate(plan)]
    if any(map(_is_paid, costs)) and not yes and sys.stdin.isatty():
        show()
        typer.confirm("Start?", abort=True)


def _is_paid(cost: "CostEstimate") -> bool:
    # An unknown price may be any price.
    return cost.cost_usd is None or cost.cost_usd > 0
