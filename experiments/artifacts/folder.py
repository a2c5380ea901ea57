"""A run's folder: its identity, its lock, and the files of the contract."""

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock
from filelock import Timeout as FileLockTimeout

from autoevol.experiments.artifacts.format import FORMAT, FormatRules, rules_of
from autoevol.experiments.artifacts.identity import RUN, RunIdentity, read_identity
from autoevol.experiments.artifacts.resume import CONFIG, LEDGER, known_run
from autoevol.experiments.artifacts.summary import SUMMARY
from autoevol.experiments.config.experiment import ExperimentConfig
from autoevol.experiments.files.atomic import PARTIAL, write_whole
from autoevol.program.errors import ConfigError
from autoevol.program.records import StepRecord
from autoevol.signatures import Method, to_markdown
from autoevol.signatures.strict_yaml import dump_yaml

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
        format: Number of the folder's format, that of the run's first try.
        chunk_rows: See `RunIdentity`.
    """

    path: Path
    key: str
    is_resumed: bool
    started: datetime
    replaces: str | None = None
    format: int = FORMAT
    chunk_rows: int = 0

    @property
    def rules(self) -> FormatRules:
        """What the folder's format fixes."""
        return rules_of(self.format)

    @property
    def ledger(self) -> Path:
        """The file of finished calls."""
        return self.path / LEDGER

    def write(self, name: str, text: str) -> Path:
        """Write a file whole: after a crash it is complete or as it was before."""
        return write_whole(self.path / name, text)

    def write_method(self, name: str, method: Method) -> Path:
        """Write a method as Markdown."""
        return self.write(f"methods/{name}.md", to_markdown(method))

    def on_step(self, record: StepRecord) -> None:
        """Write the best method of a step."""
        number = record.step + self.rules.first_number
        self.write_method(f"step-{number:02d}", record.best.method)


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
    if path.exists() and not (path / RUN).is_file():
        _check_nameless(path, fresh=fresh)
    if not fresh:
        # For its check alone: it raises where the folder holds a run of another config.
        known_run(config, content)
    # A check creates nothing: a folder that does not exist yet is tried through its parent.
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
def open_folder(
    config: ExperimentConfig, content: str, *, fresh: bool, chunk_rows: int = 0
) -> Iterator[RunFolder]:
    """Open the run's folder for this process alone: new, resumed, or fresh.

    Args:
        config: Whose folder it is.
        content: Fingerprint of what the config points to: seeds and methods.
        fresh: Another run may be there; it is moved aside.
        chunk_rows: Of a new run; a resumed one keeps what it began with.

    Raises:
        ConfigError: As `check_folder`, or another process uses the folder.
    """
    check_folder(config, content, fresh=fresh)
    replaced = None
    if fresh and config.folder.exists():
        # Under the old folder's own lock: another process may be writing to it.
        with alone_in(config.folder):
            replaced = _replaced_key(config.folder)
            _move_aside(config.folder)
    with alone_in(config.folder):
        yield replace(_opened(config, content, chunk_rows), replaces=replaced)


def _replaced_key(path: Path) -> str | None:
    """Return the key of the run that is moved aside; None: nobody can tell."""
    # `--fresh` is the way out of a damaged folder, so damage must not stop it.
    try:
        return read_identity(path).key
    except ConfigError:
        return None


def _check_nameless(path: Path, *, fresh: bool) -> None:
    """Check a folder without `run.json`: it may be empty, or one of a run that is moved aside."""
    is_run = (path / CONFIG).is_file()
    if is_run and not fresh:
        raise ConfigError(
            str(path / RUN),
            "is missing, and nothing else tells which run and which format the folder holds; "
            "put the file back, choose another folder (--out) or start anew (--fresh)",
        )
    if not is_run and not all(map(_is_begun, path.iterdir())):
        raise ConfigError("output.dir", f"{path} holds files of something else; choose another")


def _is_begun(file: Path) -> bool:
    """Tell whether this file may be there before a run: of a preview, or of a killed try."""
    return file.name == LOCK or file.name.startswith((PARTIAL, LEDGER))


def _move_aside(path: Path) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    path.rename(path.with_name(f"{path.name}-{stamp}"))


@contextlib.contextmanager
def alone_in(path: Path) -> Iterator[None]:
    """Lock a folder against other processes until the block is left.

    Raises:
        ConfigError: Another process has the lock, or there can be no such folder.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, FileNotFoundError) as error:
        raise ConfigError(str(path), f"cannot be a folder: {error.strerror}") from error
    # A lock of the operating system: it goes with its process, also with one that is killed.
    try:
        with FileLock(path / LOCK, blocking=False):
            yield
    except FileLockTimeout as error:
        raise ConfigError(
            "output.dir",
            f"another process is at work in {path}; wait for it, or choose another folder (--out)",
        ) from error


def _opened(config: ExperimentConfig, content: str, chunk_rows: int) -> RunFolder:
    # The lock is ours, so nobody else is writing these: a killed try has left them.
    for left in list(config.folder.rglob(f"{PARTIAL}*")):
        _remove(left)
    # Once more, now under the lock: another process may have begun a run since `check_folder`.
    earlier = known_run(config, content)
    identity = earlier or RunIdentity(
        uuid.uuid4().hex, datetime.now(UTC), content, chunk_rows=chunk_rows
    )
    if earlier:
        # A summary marks a finished run: a kill of this try must not leave the earlier one's.
        (config.folder / SUMMARY).unlink(missing_ok=True)
    else:
        identity.write(config.folder)
    folder = RunFolder(
        config.folder,
        identity.key,
        is_resumed=earlier is not None,
        started=identity.started,
        format=identity.format,
        chunk_rows=identity.chunk_rows,
    )
    # On resume, too: scores and filters may be others by now, and a finished run uses them.
    folder.write(CONFIG, as_yaml(config))
    return folder


def _remove(left: Path) -> None:
    if left.is_dir():
        shutil.rmtree(left)
    else:
        # A folder that was removed before may have held it.
        left.unlink(missing_ok=True)


def as_yaml(config: ExperimentConfig) -> str:
    """Return the resolved config."""
    return dump_yaml(config.model_dump(mode="json"))
