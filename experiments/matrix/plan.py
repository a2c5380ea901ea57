"""All cells of a matrix, checked before the first call of the first one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autoevol.experiments.artifacts.format import FORMAT, with_implied
from autoevol.experiments.artifacts.resume import LEDGER, format_of
from autoevol.experiments.config.errors import UNKNOWN
from autoevol.experiments.config.experiment import (
    ExperimentConfig,
    config_of,
    limited,
    limited_folder,
)
from autoevol.experiments.data.seeds import Splits
from autoevol.experiments.matrix.grid import Cell, Matrix
from autoevol.experiments.run.chunks import chunk_ledgers
from autoevol.experiments.run.command import checked_plan, finished
from autoevol.experiments.run.planning.plan import Plan
from autoevol.experiments.run.request import RunRequest
from autoevol.program.errors import ConfigError
from autoevol.program.records import Row

_ROW_KEYS = ("data", "seed", "evolve.input", "evolve.first_round", "evolve.pool")
"""Keys, and groups of them, that decide which rows a run has."""

_SEARCH_SPLITS = ("train", "dev", "fresh", "heldout")


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """A cell that can be run.

    Attributes:
        summary: Of an earlier command that finished it; None: it is still to be run.
    """

    cell: Cell
    plan: Plan
    summary: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class MatrixPlan:
    """A checked matrix.

    Attributes:
        folder: It holds the cells' folders.
        note: For the user, about rows that cells do not share.
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
        return [planned for planned in self.cells if planned.summary is None]

    def ledgers_beside(self, number: int) -> list[Path]:
        """Return the ledgers of all cells but one, which is counted from 0."""
        others = [*self.cells[:number], *self.cells[number + 1 :]]
        folders = [planned.plan.config.folder for planned in others]
        return [file for one in folders for file in (one / LEDGER, *chunk_ledgers(one))]

    def with_cell(self, number: int, cell: PlannedCell) -> "MatrixPlan":
        """Return the matrix with another cell of this number, counted from 0."""
        return replace(self, cells=[*self.cells[:number], cell, *self.cells[number + 1 :]])


def plan_matrix(matrix: Matrix, request: RunRequest) -> MatrixPlan:
    """Check every cell: config, seeds, models, folder, and that all have the same rows.

    Raises:
        ConfigError: Names the file, the key and the value; nothing is written.
    """
    cells: list[PlannedCell] = []
    for cell in matrix.cells:
        planned = _planned(matrix, cell, request, is_first=not cells)
        splits = _shared(planned.plan.splits, [earlier.plan.splits for earlier in cells])
        cells.append(replace(planned, plan=replace(planned.plan, splits=splits)))
    folder = cells[0].plan.config.folder.parent
    if (folder / "run.json").is_file():
        raise ConfigError(
            "output.dir", f"{folder} holds a single run; choose another folder (--out)"
        )
    return MatrixPlan(matrix, folder, cells, _check_rows(matrix, cells))


def _planned(matrix: Matrix, cell: Cell, request: RunRequest, *, is_first: bool) -> PlannedCell:
    try:
        plan = checked_plan(_config(matrix, cell, request), request)
        return PlannedCell(cell, plan, finished(plan, request))
    except ConfigError as error:
        raise _placed(error, matrix, cell, is_first=is_first) from error


def _config(matrix: Matrix, cell: Cell, request: RunRequest) -> ExperimentConfig:
    tree = matrix.tree(cell)
    config = _in_folder_of(cell, tree, request)
    if config.verify is not None:
        raise ConfigError(
            f"{request.file}: verify", "a matrix makes no verified data; take it out, or the matrix"
        )
    number = FORMAT if request.fresh else format_of(config.folder)
    return config if number == FORMAT else _in_folder_of(cell, with_implied(tree, number), request)


def _in_folder_of(cell: Cell, tree: dict[str, Any], request: RunRequest) -> ExperimentConfig:
    config = config_of(tree, request.file, out=request.out)
    limit = request.limit
    whole = Path(limited_folder(config, limit)) if limit and not request.out else config.folder
    folder = whole / cell.name
    output = config.output.model_copy(update={"dir": str(folder)})
    own = config.model_copy(update={"name": f"{config.name}.{cell.name}", "output": output})
    return limited(own, limit, out=folder) if limit else own


def _placed(error: ConfigError, matrix: Matrix, cell: Cell, *, is_first: bool) -> ConfigError:
    """Return an error that names the matrix's key and value, where it is about one.

    Any other error belongs to the config if the first cell has it, else to the cell.
    """
    prefix = f"{matrix.file}: "
    wrong = error.where.removeprefix(prefix)
    key = next((key for key in cell.values if _is_about(wrong, key)), None)
    if not error.where.startswith(prefix) or (key is None and is_first):
        return error
    if key is None:
        return ConfigError(error.where, f"{error.problem} (cell {cell.name})")
    inner = "" if key.startswith(wrong) else f"{wrong.removeprefix(f'{key}.')}: "
    if error.problem.startswith(UNKNOWN):
        return ConfigError(matrix.where(key), f"{inner}{error.problem}")
    value = matrix.shown(key, cell.values[key])
    problem = f"{value}: {inner}{error.problem} (cell {cell.name})"
    return ConfigError(matrix.where(key), problem)


def _is_about(wrong: str, key: str) -> bool:
    """Tell whether the key that an error names is a varied key, holds it, or lies in it."""
    return f"{wrong}.".startswith(f"{key}.") or key.startswith(f"{wrong}.")


def _shared(splits: Splits, others: Sequence[Splits]) -> Splits:
    """Return the rows; cells with equal rows share one copy in memory."""
    for other in others:
        if splits == other:
            return other
    same = next((other.seeds for other in others if other.seeds == splits.seeds), splits.seeds)
    return replace(splits, seeds=same)


def _check_rows(matrix: Matrix, cells: Sequence[PlannedCell]) -> str | None:
    """Return a note about rows that cells do not share; None: they share all.

    Raises:
        ConfigError: They differ although no varied key decides which rows there are.
    """
    difference = _difference(cells)
    if difference is None:
        return None
    part, first, other = difference
    row_keys = [key for key in matrix.varied if _decides_rows(key)]
    if row_keys:
        return f"cells do not share all rows: {', '.join(row_keys)} varies (rows of: {part})"
    raise ConfigError(
        f"{matrix.file}: matrix",
        f"cells {first} and {other} would not have the same {part} rows, so they could not be "
        "compared; set data.train_size and data.fresh_size",
    )


def _decides_rows(key: str) -> bool:
    return any(_is_about(row_key, key) for row_key in _ROW_KEYS)


def _difference(cells: Sequence[PlannedCell]) -> tuple[str, str, str] | None:
    """Return the first kind of rows that two cells do not share, and the cells' names.

    Rows of a search are compared among the cells that have any: a cell without a search has none,
    and an optimizer without a confirmation has no fresh ones.
    """
    for part in ("seeds", *_SEARCH_SPLITS):
        having = [planned for planned in cells if _rows(planned, part)]
        for other in having[1:]:
            if _rows(other, part) != _rows(having[0], part):
                return part, having[0].cell.name, other.cell.name
    return None


def _rows(planned: PlannedCell, part: str) -> list[Row]:
    rows: list[Row] = getattr(planned.plan.splits, part)
    return rows
