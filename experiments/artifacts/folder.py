"""A run's folder: its identity, its lock, and the files of the contract."""

import contextlib
import json
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import yaml
from filelock import FileLock
from filelock import Timeout as FileLockTimeout

from autoevol.experiments.config.experiment import EVOLVING, ExperimentConfig
from autoevol.experiments.files.atomic import PARTIAL, write_whole
from autoevol.experiments.files.records import read_object
from autoevol.program.errors import ConfigError, StorageError
from autoevol.program.records import Outcome, StepRecord
from autoevol.signatures import Method, to_markdown

RESUMABLE = (
    *("concurrency", "requests_per_minute", "tokens_per_minute"),
    *("timeout", "attempts", "backoff", "backoff_max", "hedge_after", "outage"),
    *("api_key_env", "price", "fallbacks"),
)
"""Model settings that may differ on resume, as the budget may."""

MINIMUM_DISK = 50 << 20  # bytes
LOCK = "run.lock"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of a run that is open.

    Attributes:
        key: Identifies the run in MLflow, the same on resume.
        is_resumed: An earlier try of the same run left its ledger here.
        started: When the run was first started.
        replaces: Key of the run that was moved aside for this one.
    """

    path: Path
    key: str
    is_resumed: bool
    started: datetime
    replaces: str | None = None

    @property
    def ledger(self) -> Path:
        """The file of finished calls."""
        return self.path / "ledger.sqlite"

    def summary(self) -> dict[str, Any] | None:
        """Return the summary of a finished run; None while it is not finished."""
        file = self.path / "summary.json"
        if not file.is_file():
            return None
        summary: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return summary

    def write(self, name: str, text: str) -> Path:
        """Write a file whole: after a crash it is complete or as it was before."""
        return write_whole(self.path / name, text)

    def write_method(self, name: str, method: Method) -> Path:
        """Write a method as Markdown."""
        return self.write(f"methods/{name}.md", to_markdown(method))

    def on_step(self, record: StepRecord) -> None:
        """Write the best method of a step."""
        self.write_method(f"step-{record.step:02d}", record.best.method)


def find_summary(config: ExperimentConfig, content: str) -> dict[str, Any] | None:
    """Return the summary of this very run if nothing is left to do; read only.

    Unscored rows are left to do: the same command tries their calls again. So is a search that was
    skipped and is asked for now, and so are other scores or filters.
    """
    folder = _known(config, content)
    summary = folder.summary() if folder else None
    if folder is None or summary is None or summary["rows_unscored"]:
        return None
    is_asked_for = summary.get("search_skipped") and not config.optimizer.headroom
    return None if is_asked_for or _asks_for_more(folder.path, config) else summary


def _asks_for_more(path: Path, config: ExperimentConfig) -> bool:
    """Tell whether the config has other scores or filters than the finished run."""
    then = yaml.safe_load((path / "config.yaml").read_text("utf-8"))
    now = config.model_dump(mode="json")
    none = ExperimentConfig.model_fields
    before = {
        "scores": {**none["scores"].default.model_dump(mode="json"), **then.get("scores", {})},
        "filters": then.get("filters", []),
    }
    return any(before[key] != now[key] for key in before)


def check_folder(config: ExperimentConfig, content: str, *, fresh: bool) -> None:
    """Check that the run may use its folder, without writing anything.

    Args:
        config: Whose folder it is.
        content: Fingerprint of what the config points to: seeds and methods.
        fresh: Another run may be there; it will be moved aside.

    Raises:
        ConfigError: It holds another run or other files, cannot be written, or the disk is full.
    """
    path = config.folder
    if path.exists() and not path.is_dir():
        raise ConfigError("output.dir", f"{path} cannot be written: it is a file")
    is_run = (path / "run.json").is_file()
    if path.exists() and not is_run and not all(map(_is_begun, path.iterdir())):
        raise ConfigError("output.dir", f"{path} holds files of something else; choose another")
    if not fresh:
        _known(config, content)
    base = next(parent for parent in [path, *path.absolute().parents] if parent.exists())
    try:
        tempfile.TemporaryFile(dir=base).close()
    except OSError as error:
        raise ConfigError("output.dir", f"{path} cannot be written: {error.strerror}") from error
    if shutil.disk_usage(base).free < MINIMUM_DISK:
        raise ConfigError(
            "output.dir", f"{path} has less than {MINIMUM_DISK >> 20} MiB of disk left"
        )


@contextlib.contextmanager
def open_folder(config: ExperimentConfig, content: str, *, fresh: bool) -> Iterator[RunFolder]:
    """Open the run's folder for this process alone: new, resumed, or fresh.

    Raises:
        ConfigError: As `check_folder`, or another process uses the folder.
    """
    check_folder(config, content, fresh=fresh)
    replaced = None
    if fresh and config.folder.exists():
        # Under the old folder's own lock: another process may be writing to it.
        with alone_in(config.folder):
            replaced = _key_in(config.folder)
            _move_aside(config.folder)
    with alone_in(config.folder):
        yield replace(_opened(config, content), replaces=replaced)


def _key_in(path: Path) -> str | None:
    file = path / "run.json"
    return str(json.loads(file.read_text("utf-8"))["key"]) if file.is_file() else None


def _is_begun(file: Path) -> bool:
    """Tell whether a try that was killed while it made the folder may have left this file."""
    return file.name == LOCK or file.name.startswith(PARTIAL)


def _move_aside(path: Path) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    path.rename(path.with_name(f"{path.name}-{stamp}"))


@contextlib.contextmanager
def alone_in(path: Path) -> Iterator[None]:
    """Lock a folder against other processes until the block is left.

    Raises:
        ConfigError: Another process has the lock.
    """
    path.mkdir(parents=True, exist_ok=True)
    # A lock of the operating system: it goes with its process, also with one that is killed.
    try:
        with FileLock(path / LOCK, blocking=False):
            yield
    except FileLockTimeout as error:
        raise ConfigError(
            "output.dir",
            f"another process is at work in {path}; wait for it, or choose another folder (--out)",
        ) from error


def _opened(config: ExperimentConfig, content: str) -> RunFolder:
    for left in config.folder.glob(f"{PARTIAL}*"):
        left.unlink()
    known = _known(config, content)
    if known:
        (known.path / "summary.json").unlink(missing_ok=True)
        known.write("config.yaml", as_yaml(config))
        return known
    folder = RunFolder(config.folder, uuid.uuid4().hex, False, datetime.now(UTC))
    started = folder.started.isoformat()
    identity = {"key": folder.key, "started": started, "content": content}
    folder.write("run.json", json.dumps(identity, indent=2) + "\n")
    folder.write("config.yaml", as_yaml(config))
    return folder


def as_yaml(config: ExperimentConfig) -> str:
    """Return the resolved config."""
    return yaml.safe_dump(config.model_dump(mode="json"), allow_unicode=True, sort_keys=False)


@contextlib.contextmanager
def row_files(folder: RunFolder) -> Iterator["RowWriter"]:
    """Open the files of rows; `unscored.jsonl` is made only when there are unscored rows."""
    with contextlib.ExitStack() as stack:
        yield RowWriter(folder.path, stack)


class RowWriter:
    """Writes each row as it is finished.

    A resumed run writes all rows again: their calls come from the ledger.
    """

    def __init__(self, path: Path, stack: contextlib.ExitStack) -> None:
        self._path = path
        self._stack = stack
        self._files: dict[str, TextIO] = {}
        (path / "unscored.jsonl").unlink(missing_ok=True)
        for name in ("evolved.jsonl", "failures.jsonl"):
            self._open(name)

    def __call__(self, outcome: Outcome) -> None:
        """Append one row to the file it belongs to.

        Raises:
            StorageError: The disk is full, or the folder cannot be written.
        """
        names = {"kept": "evolved.jsonl", "failed": "failures.jsonl", "unscored": "unscored.jsonl"}
        line = json.dumps(outcome.as_dict(), ensure_ascii=False)
        try:
            self._open(names[outcome.status]).write(line + "\n")
        except OSError as error:
            raise StorageError(f"{self._path}: cannot be written: {error.strerror}") from error

    def _open(self, name: str) -> TextIO:
        if name not in self._files:
            # Line by line, so that a kill leaves whole rows.
            file = (self._path / name).open("w", encoding="utf-8", buffering=1)
            self._files[name] = self._stack.enter_context(file)
        return self._files[name]


def _known(config: ExperimentConfig, content: str) -> RunFolder | None:
    """Return the folder if it holds an earlier try of this run.

    Raises:
        ConfigError: It holds a run of another config.
    """
    path = config.folder
    if not (path / "run.json").is_file() or not (path / "config.yaml").is_file():
        return None
    identity = json.loads((path / "run.json").read_text("utf-8"))
    then = yaml.safe_load((path / "config.yaml").read_text("utf-8"))
    differing = _differences(_resumable(then), _resumable(config.model_dump(mode="json")))
    if not differing and identity["content"] != content:
        differing = ["content of its data or method files"]
    if differing:
        raise ConfigError(
            "output.dir",
            f"{path} holds a run with another {', '.join(differing)}; "
            "choose another folder (--out) or start anew (--fresh)",
        )
    return RunFolder(path, identity["key"], True, datetime.fromisoformat(identity["started"]))


_NOT_THE_ROWS = ("budget", "output", "scores", "filters")
_NOT_THE_SEARCHS = ("headroom", "storage")


def _resumable(tree: dict[str, Any]) -> dict[str, Any]:
    """Return the config without what may differ when a run goes on."""
    models = {
        role: {k: v for k, v in tree["models"][role].items() if k not in RESUMABLE}
        for role in EVOLVING
    }
    kept = {key: value for key, value in tree.items() if key not in _NOT_THE_ROWS}
    search = {key: value for key, value in tree["optimizer"].items() if key not in _NOT_THE_SEARCHS}
    return {**kept, "models": models, "optimizer": search}


def _differences(then: Any, now: Any, at: str = "") -> list[str]:
    if isinstance(then, dict) and isinstance(now, dict):
        keys = [*then, *(key for key in now if key not in then)]
        return [
            path
            for key in keys
            for path in _differences(then.get(key), now.get(key), f"{at}.{key}".lstrip("."))
        ]
    return [] if then == now else [at]


RUN, SUMMARY = "run.json", "summary.json"


_NUMBERS = (
    *("rows_in", "rows_out", "rows_failed", "rows_unscored"),
    *("calls", "tokens_in", "tokens_out", "wall_s"),
)


_OF_A_ROUND = ("round", "entered", "kept", "failed", "unscored")


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Which run it is.

    Attributes:
        key: In MLflow.
    """

    key: str
    started: datetime


def read_identity(folder: Path) -> RunIdentity:
    """Return which run a folder is of.

    Raises:
        ConfigError: The folder has lost its `run.json`, or it is damaged.
    """
    file = folder / RUN
    if not file.is_file():
        raise ConfigError(str(folder), f"is no run's folder: no {RUN}")
    tree = read_object(file)
    try:
        return RunIdentity(str(tree["key"]), datetime.fromisoformat(tree["started"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(str(file), f"is not what a run writes there: {error!r}") from error


def read_summary(folder: Path) -> dict[str, Any]:
    """Return a finished run's summary.

    Raises:
        ConfigError: The file is damaged.
    """
    file = folder / SUMMARY
    tree = read_object(file)
    _check_numbers(tree, _NUMBERS, str(file))
    rounds = tree.get("rounds")
    if not isinstance(rounds, list) or not all(isinstance(count, dict) for count in rounds):
        raise ConfigError(f"{file}: rounds", "must be a list of objects")
    for number, count in enumerate(rounds):
        _check_numbers(count, _OF_A_ROUND, f"{file}: rounds[{number}]")
    return tree


def _check_numbers(tree: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    for name in names:
        if not isinstance(tree.get(name), int | float):
            raise ConfigError(where, f"{name} must be a number, is {str(tree.get(name))[:80]!r}")
