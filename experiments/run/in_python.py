"""`autoevol.evolve`: a run from Python, on rows in memory; it keeps all promises of a run."""

import asyncio
import hashlib
import logging
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from rich.console import Console

from autoevol.experiments.artifacts.row_files import EVOLVED, FAILURES, REJECTED, SURPLUS
from autoevol.experiments.config.experiment import ExperimentConfig, config_of
from autoevol.experiments.export.writers import export_finished
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.json_text import as_json
from autoevol.experiments.files.paths import local_path
from autoevol.experiments.files.reading import read_rows
from autoevol.experiments.models.runtime import load_libraries
from autoevol.experiments.run.context import RunContext
from autoevol.experiments.run.finished import find_summary
from autoevol.experiments.run.planning.notes import notes
from autoevol.experiments.run.planning.plan import Plan, make_plan
from autoevol.experiments.run.runner import load_search, run
from autoevol.experiments.terminal.console import quiet_libraries
from autoevol.experiments.terminal.progress import progress_bar
from autoevol.experiments.tracking.config import load_tracking
from autoevol.program.errors import ConfigError
from autoevol.signatures import Method, to_markdown

logger = logging.getLogger(__name__)

_NO_NAME = re.compile(r"[^\w.+-]+")

_WHERE = "autoevol.evolve"
_LEVELS = 50
"""Lists and objects in each other that a row may have."""


RowData = str | Path | Iterable[str | Mapping[str, Any]]
"""A data set's path or name, or texts and records of any format in memory."""


class Evolved(NamedTuple):
    """What a run made.

    Attributes:
        rows: The kept rows, as `evolved.jsonl` has them, in canonical order.
        account: The run's `summary.json`, with the rows that are not in `rows`: `failures`, each
            with its reasons, `surplus`, beyond a target, and `rejected`, the records that make no
            row.
    """

    rows: list[dict[str, Any]]
    account: dict[str, Any]


def evolve(
    rows: RowData,
    *,
    model: str | Mapping[str, Any],
    method: str | Method | Sequence[str | Method] = "e0",
    folder: str | Path | None = None,
    quiet: bool = True,
    track: bool = False,
    **sections: Any,
) -> Evolved:
    """Evolve rows and return them with the account of every row.

    Args:
        rows: Texts, records of any format that the command line reads (Alpaca, messages, …), or the
            path or name of a data set.
        model: A litellm name or `local/NAME` that serves every role, or a config's section
            `models`.
        method: A shipped method's name, a method file, a `Method`, or several of them.
        folder: Of the run; the same call again resumes there, and pays nothing twice. None: a
            folder that is removed at the end.
        quiet: Show no progress.
        track: Log the run in MLflow, in the store that `mlflow.yaml` names.
        **sections: Further sections of a config, such as `evolve={"rounds": 2}`,
            `failure={"rules": ["strict"]}`, `budget={"calls": 500}`.

    Raises:
        ConfigError: Something is to be changed; the message names the key.
        StoppedError: The run stopped early, for example by its budget.
    """
    with tempfile.TemporaryDirectory(prefix="autoevol-") as scratch:
        # What the run reads lies beside its folder, so that the folder can be resumed and exported.
        home = _home(folder) if folder is not None else Path(scratch) / "run"
        inputs = home.with_name(f"{home.name}-input") if folder is not None else Path(scratch)
        plan = make_plan(_config(rows, model, method, home, inputs, sections), _WHERE)
        for note in notes(plan):
            logger.warning("%s", note)
        summary = find_summary(plan, _ignore)
        if summary:
            # Of a finished run one may ask for further formats.
            export_finished(plan.config, plan.splits.seeds, summary, _ignore)
        else:
            summary = _run(plan, quiet=quiet, track=track)
        files = {"failures": FAILURES, "surplus": SURPLUS, "rejected": REJECTED}
        account = {name: _rows_in(home / file) for name, file in files.items()}
        return Evolved(_rows_in(home / EVOLVED), {**summary, **account})


async def aevolve(rows: RowData, **options: Any) -> Evolved:
    """Do what `evolve` does without blocking the event loop; the arguments are the same."""
    return await asyncio.to_thread(evolve, rows, **options)


def _config(
    rows: RowData,
    model: str | Mapping[str, Any],
    method: str | Method | Sequence[str | Method],
    home: Path,
    inputs: Path,
    sections: Mapping[str, Any],
) -> ExperimentConfig:
    models = {"evolver": model} if isinstance(model, str) else dict(model)
    several = isinstance(method, Sequence) and not isinstance(method, str)
    methods: Sequence[Any] = method if several else [method]  # type: ignore[assignment]
    evolve_section = {"methods": [_method_name(entry, inputs) for entry in methods]}
    tree = {
        # A run's name has neither spaces nor signs, a folder's may.
        "name": _NO_NAME.sub("-", home.name),
        "models": models,
        **sections,
        "data": {"path": _path_of(rows, inputs), **_section(sections, "data")},
        "evolve": {**evolve_section, **_section(sections, "evolve")},
        "output": {**_section(sections, "output"), "dir": str(home)},
    }
    return config_of(tree, Path(_WHERE))


def _home(folder: str | Path) -> Path:
    """Return a folder that has a name: `.` and `..` have none."""
    home = local_path(folder, f"{_WHERE}: folder")
    return home if home.name.strip(".") else home.resolve()


def _section(sections: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = sections.get(name) or {}
    if not isinstance(section, Mapping):
        raise ConfigError(f"{_WHERE}: {name}", "must be a mapping of keys")
    return {**section}


def _method_name(method: str | Method, inputs: Path) -> str:
    if isinstance(method, str):
        return method
    return str(write_whole(inputs / f"{method.name}-{method.id}.md", to_markdown(method)))


def _path_of(rows: RowData, inputs: Path) -> str:
    if isinstance(rows, str | Path):
        return str(rows)
    if isinstance(rows, Mapping):
        raise ConfigError(
            _WHERE, f"rows is a mapping of {', '.join(map(str, rows))}; give one of them"
        )
    # A table of pandas yields its columns, so its rows are asked for.
    as_records = getattr(rows, "to_dict", None) if hasattr(rows, "columns") else None
    records: Iterable[Any] = as_records("records") if as_records else rows
    lines = [as_json(_record(row, f"rows[{number}]")) for number, row in enumerate(records)]
    text = "".join(f"{line}\n" for line in lines)
    # By its content: a folder's earlier input stays where another call is refused.
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return str(write_whole(inputs / f"rows-{digest}.jsonl", text))


def _record(row: Any, place: str) -> Any:
    if not isinstance(row, str | Mapping):
        kind = type(row).__name__
        raise ConfigError(f"{_WHERE}: {place}", f"must be a text or a record, is {kind}")
    return _plain(row, place)


def _plain(value: Any, place: str) -> Any:
    """Return a row as plain data; arrays and numbers of NumPy become lists and numbers.

    Raises:
        ConfigError: It holds something that no row of texts can.
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping) and place.count("[") + place.count(".") <= _LEVELS:
        return {str(key): _plain(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple) and place.count("[") + place.count(".") <= _LEVELS:
        return [_plain(item, f"{place}[{number}]") for number, item in enumerate(value)]
    if str(value) == "NaT":
        return None
    if isinstance(value, date | time | Decimal | UUID):
        return str(value)
    raise ConfigError(f"{_WHERE}: {place}", f"holds {type(value).__name__}, which no row can")


def _run(plan: Plan, *, quiet: bool, track: bool) -> dict[str, Any]:
    quiet_libraries()
    # Before the progress bar, which starts a thread.
    load_libraries(plan.models)
    load_search(plan, "all")
    console = Console(stderr=True, quiet=quiet, markup=False)
    with progress_bar(console) as bar:
        tracking = load_tracking() if track else None
        context = RunContext(bar=bar, say=console.print, tracking=tracking)
        return run(plan, context)


def _rows_in(file: Path) -> list[dict[str, Any]]:
    return list(read_rows(file)) if file.is_file() else []


def _ignore(line: str) -> None:
    """Say nothing: a damaged folder is made again from its ledger."""
