"""All cells of a matrix, checked before the first call of the first one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.format import FORMAT, with_implied
from autoevol.experiments.artifacts.resume import format_of
from autoevol.experiments.config.errors import UNKNOWN
from autoevol.experiments.config.experiment import (
    ExperimentConfig,
    config_of,
    limited,
    limited_folder,
)
from autoevol.experiments.data.seeds import Splits
from autoevol.experiments.matrix.grid import Cell, Matrix
from autoevol.experiments.run.command import checked_plan, finished
from autoevol.experiments.run.plan import Plan
from autoevol.experiments.run.request import RunRequest
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

_MOVING = ("data", "seed", "evolve.input", "evolve.first_round", "evolve.pool")
"""Keys, and groups of them, that say which rows a run has."""

_SEARCHED = ("train", "dev", "fresh", "heldout")


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell that can be run.

    Attributes:
        summary: Of an earlier command that has finished it; None: it is to be run.
    """

    cell: Cell
    plan: Plan
    summary: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A checked matrix.

    Attributes:
        folder: The one that the cells' folders lie in.
        note: What is to be said of rows that cells do not share.
    """

    matrix: Matrix
    folder: Path
    cells: Sequence[PlannedCell]
    note: str | None = None

    @property
    def name(self) -> str:
        """The config's name."""
        return str(self.matrix.base["name"])

    @property
    def pending(self) -> list[PlannedCell]:
        """The cells that are not finished."""
        return [each for each in self.cells if each.summary is None]

    def with_cell(self, number: int, cell: PlannedCell) -> "Planned":
        """Return the matrix with another cell in a place."""
        return replace(self, cells=[*self.cells[:number], cell, *self.cells[number + 1 :]])


def plan_matrix(matrix: Matrix, request: RunRequest) -> Planned:
    """Check every cell: config, seeds, models, folder, and that all have the same rows.

    Raises:
        ConfigError: Names the file, the key and the value; nothing is written.
    """
    cells: list[PlannedCell] = []
    for cell in matrix.cells:
        planned = _planned(matrix, cell, request, is_first=not cells)
        splits = _shared(planned.plan.splits, [each.plan.splits for each in cells])
        cells.append(replace(planned, plan=replace(planned.plan, splits=splits)))
    folder = cells[0].plan.config.folder.parent
    if (folder / "run.json").is_file():
        raise ConfigError("output.dir", f"{folder} holds a single run; choose another (--out)")
    return Planned(matrix, folder, cells, _check_rows(matrix, cells))


def _planned(matrix: Matrix, cell: Cell, request: RunRequest, *, is_first: bool) -> PlannedCell:
    try:
        plan = checked_plan(_config(matrix, cell, request), request)
        return PlannedCell(cell, plan, finished(plan, request))
    except ConfigError as error:
        raise _placed(error, matrix, cell, is_first=is_first) from error


def _config(matrix: Matrix, cell: Cell, request: RunRequest) -> ExperimentConfig:
    tree = matrix.tree(cell)
    config = _in_folder_of(cell, tree, request)
    number = FORMAT if request.fresh else format_of(config.folder)
    return config if number == FORMAT else _in_folder_of(cell, with_implied(tree, number), request)


def _in_folder_of(cell: Cell, tree: dict[str, Any], request: RunRequest) -> ExperimentConfig:
    config = config_of(tree, request.file, out=request.out)
    n = request.limit
    folder = Path(limited_folder(config, n)) if n else config.folder
    output = config.output.model_copy(update={"dir": str(folder / cell.name)})
    named = {"name": f"{config.name}.{cell.name}", "output": output}
    placed = config.model_copy(update=named)
    return limited(placed, n) if n else placed


def _placed(error: ConfigError, matrix: Matrix, cell: Cell, *, is_first: bool) -> ConfigError:
    """Return an error that names the matrix's key and value, where it is about one.

    Another error of the first cell is the config's own; in a later one the cell made it.
    """
    prefix = f"{matrix.file}: "
    found = error.where.removeprefix(prefix)
    key = next((key for key in cell.values if _is_about(found, key)), None)
    if not error.where.startswith(prefix) or (key is None and is_first):
        return error
    if key is None:
        return ConfigError(error.where, f"{error.problem} (cell {cell.name})")
    inner = "" if key.startswith(found) else f"{found.removeprefix(f'{key}.')}: "
    if error.problem.startswith(UNKNOWN):
        return ConfigError(matrix.where(key), f"{inner}{error.problem}")
    told = matrix.shown(key, cell.values[key])
    problem = f"{told}: {inner}{error.problem} (cell {cell.name})"
    return ConfigError(matrix.where(key), problem)


def _is_about(found: str, key: str) -> bool:
    return f"{found}.".startswith(f"{key}.") or key.startswith(f"{found}.")


def _shared(splits: Splits, others: Sequence[Splits]) -> Splits:
    """Return the rows, held in memory once if another cell has the same."""
    for other in others:
        if splits == other:
            return other
    same = next((other.seeds for other in others if other.seeds == splits.seeds), splits.seeds)
    return replace(splits, seeds=same)


def _check_rows(matrix: Matrix, cells: Sequence[PlannedCell]) -> str | None:
    """Return what is to be said of rows that cells do not share; None: they share all.

    Raises:
        ConfigError: They do not, though no key that says which rows there are is varied.
    """
    found = _difference(cells)
    if found is None:
        return None
    part, first, other = found
    moving = [key for key in matrix.varied if _is_moving(key)]
    if moving:
        return f"cells do not share all rows: {', '.join(moving)} varies (of {part} rows)"
    raise ConfigError(
        f"{matrix.file}: matrix",
        f"cells {first} and {other} would not have the same {part} rows, so they could not be "
        "compared; set data.train_size and data.fresh_size",
    )


def _is_moving(key: str) -> bool:
    return any(f"{key}.".startswith(f"{each}.") or each.startswith(f"{key}.") for each in _MOVING)


def _difference(cells: Sequence[PlannedCell]) -> tuple[str, str, str] | None:
    """Return the first kind of rows that two cells do not share, and the cells' names.

    Rows of a search are compared among the cells that have any: an optimizer may not look twice.
    """
    for part in ("seeds", *_SEARCHED):
        having = [each for each in cells if _rows(each, part)]
        for other in having[1:]:
            if _rows(other, part) != _rows(having[0], part):
                return part, having[0].cell.name, other.cell.name
    return None


def _rows(each: PlannedCell, part: str) -> list[Row]:
    rows: list[Row] = getattr(each.plan.splits, part)
    return rows
