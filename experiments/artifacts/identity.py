"""`run.json`: which run a folder holds, and of which format the folder is."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from autoevol.experiments.artifacts.format import FORMAT
from autoevol.experiments.files.atomic import write_whole
from autoevol.experiments.files.reading import read_object
from autoevol.metrics.failure.evolvers import EvolverLook
from autoevol.program.errors import ConfigError

RUN = "run.json"
_WAY_OUT = "put the file back, or start the run anew (--fresh)"


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Which run a folder holds.

    Attributes:
        key: Identifies the run in MLflow, the same on resume.
        started: When the run was first started.
        content: Fingerprint of what its config points to: seeds, methods, prompts.
        format: Of the folder; a folder that names none is of format 1.
        evolver: What the first rewrites showed of the evolver; None: nobody has looked.
        chunk_rows: Seeds of a chunk of the bulk phase; 0: it goes through all of them at once.
    """

    key: str
    started: datetime
    content: str = ""
    format: int = FORMAT
    evolver: EvolverLook | None = None
    chunk_rows: int = 0

    def write(self, folder: Path) -> None:
        """Write `run.json`."""
        tree = {**asdict(self), "started": self.started.isoformat()}
        write_whole(folder / RUN, json.dumps(tree, indent=2) + "\n")


def read_identity(folder: Path) -> RunIdentity:
    """Return which run a folder holds.

    Raises:
        ConfigError: The folder has lost its `run.json`, it is damaged, or a later version of
            AutoEvol wrote it.
    """
    file = folder / RUN
    if not folder.exists():
        raise ConfigError(str(folder), "does not exist; paths start at the folder you are in")
    if not file.is_file():
        raise ConfigError(str(folder), f"is no run's folder: no {RUN}")
    try:
        tree = read_object(file)
    except ConfigError as error:
        raise ConfigError(error.where, f"{error.problem}; {_WAY_OUT}") from error
    try:
        started = datetime.fromisoformat(tree["started"])
        content, number = str(tree.get("content", "")), int(tree.get("format", 1))
        look = EvolverLook(**tree["evolver"]) if tree.get("evolver") else None
        chunk_rows = int(tree.get("chunk_rows", 0))
        identity = RunIdentity(str(tree["key"]), started, content, number, look, chunk_rows)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            str(file), f"is not what a run writes there: {error!r}; {_WAY_OUT}"
        ) from error
    if identity.format > FORMAT:
        raise ConfigError(
            str(file),
            f"the folder is of format {identity.format}, this version reads formats up to "
            f"{FORMAT}; update AutoEvol, or choose another folder (--out)",
        )
    return identity
